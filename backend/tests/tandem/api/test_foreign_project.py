"""The API in a project with no REST_FRAMEWORK, and in one whose settings differ from ours in everything."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.infra.place import ROOT

PROBLEM_KEYS = ["code", "detail", "errors", "instance", "request_id", "status", "title", "type"]
OTHER = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FormParser"],
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.QueryParameterVersioning",
    "UNAUTHENTICATED_USER": None,
    "STRICT_JSON": False,
    "EXCEPTION_HANDLER": "__main__.own_handler",
}


def requests_in(folder: Path, rest_framework: dict[str, Any]) -> dict[str, list[Any]]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'backend'}", "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    script = Path(__file__).with_name("foreign_project.py")
    done = subprocess.run(
        [sys.executable, str(script), str(folder), json.dumps(rest_framework)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results: dict[str, list[Any]] = json.loads(done.stdout)
    return results


@pytest.mark.parametrize("rest_framework", [{}, OTHER], ids=["none", "other"])
def test_the_api_behaves_the_same_whatever_the_projects_rest_framework_says(
    tmp_path: Path, rest_framework: dict[str, Any]
) -> None:
    results = requests_in(tmp_path, rest_framework)
    own_view, own_error = results.pop("the site's own view"), results.pop("the site's own error")
    assert {name: status for name, (status, *_) in results.items()} == {
        "anonymous": 401,
        "own list": 200,
        "another person's list": 404,
        "negative limit": 422,
        "unknown parameter": 422,
        "unknown surface": 404,
        "a form": 415,
        "other method": 405,
        "one interaction": 201,
        "anonymous interaction": 401,
        "bad rows": 422,
        "NaN": 400,
        "not JSON": 400,
        "a verdict": 201,
        "a number beyond the column": 422,
    }
    refused = [entry for status, *entry in results.values() if status >= 400]
    assert refused == [["application/problem+json", PROBLEM_KEYS]] * len(refused)
    assert own_view == [200, "application/json", ["own"]]
    assert own_error[0] == (418 if rest_framework else 400)
    assert own_error[1] != "application/problem+json"
