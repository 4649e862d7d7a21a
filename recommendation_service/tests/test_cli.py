"""The commands, by what they print and how they exit."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from recommendation_service.cli import main
from recommendation_service.commands import reference_docs
from recommendation_service.tests.support import service
from recommendation_service.tests.support.cleaning import export_cleaning, publish_neural
from recommendation_service.tests.support.service import KEY


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty service, its variables set."""
    for name, value in service.environment(tmp_path, RS_USE_CASES="startups", RS_DB_PASSWORD="canary-password").items():
        monkeypatch.setenv(name, value)
    return tmp_path


ASK = ["recommend", "--use-case", "startups", "--surface", "for-developer", "--user", "u001"]


@pytest.mark.usefixtures("root")
def test_show_config_masks_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show-config"]) == 0
    printed = capsys.readouterr().out
    assert "RS_SIGNING_KEYS=**********" in printed
    assert "RS_RELOAD_SECONDS=0.0" in printed
    assert printed.splitlines()[-1] == "next: tandem doctor"
    assert KEY not in printed
    assert "canary-password" not in printed


@pytest.mark.usefixtures("root")
@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="this system has no such signal")
def test_a_reader_that_leaves_ends_the_command_without_a_traceback() -> None:
    command = [sys.executable, "-m", "recommendation_service.cli", "show-config"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == -signal.SIGPIPE


def test_recommend_prints_a_list(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service.export_startups(root)
    service.publish_all(root)
    assert main([*ASK, "--limit", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "als (als_v1), 8 interactions"
    assert len(lines) == 5
    assert lines[-1] == "next: tandem evaluate lists --use-case startups"


def test_recommend_asks_about_a_job_where_the_list_is_for_one(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export_cleaning(root)
    asked = ["recommend", "--use-case", "cleaning", "--surface", "cleaners-for-job", "--limit", "2", "--about"]
    assert main([*asked, "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "rule_based (rules), 0 interactions"
    assert lines[1].startswith("  skipped ensemble: ")
    assert "High quality score (98/100)" in lines[2]
    assert main([*asked, "99"]) == 1
    assert capsys.readouterr().err == "error: jobs has no item with that id\n"


def test_rollback_of_a_use_case_turns_to_where_the_model_is(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export_cleaning(root)
    for seed in range(2):
        publish_neural(root, seed=seed)
    assert main(["models", "rollback", "neural", "--use-case", "cleaning"]) == 0
    assert capsys.readouterr().out.startswith("cleaners: neural is neural_v1 again")


def test_doctor_tells_which_models_of_pairs_are_missing(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RS_USE_CASES", "cleaning")
    export_cleaning(root, "cleaners")
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  jobs: no export yet" in lines
    assert "  not trained: neural, bid" in lines
    assert lines[-1] == "next: manage.py generate_all_datasets"


def test_doctor_tells_which_weights_serve(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service.export_startups(root)
    service.publish_all(root)
    assert main(["doctor"]) == 0
    assert "  ensemble: learned weights serve" in capsys.readouterr().out.splitlines()


def test_recommend_prints_the_whole_answer_as_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service.export_startups(root)
    assert main([*ASK, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["method_used"] == "popular"
    assert answer["recommendations"][0]["parts"]


def test_recommend_asks_a_pinned_model_folder(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service.export_startups(root)
    service.publish(root, "als")
    service.publish(root, "als", service.als_arrays(seed=1))
    monkeypatch.setenv("ALS_MODEL_PATH", str(root / "models" / "startups" / "als_v1"))
    assert main(ASK) == 0
    assert "als (als_v1)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([*ASK], "generate_all_datasets"),
        (["recommend", "--use-case", "startups", "--surface", "nope", "--user", "u"], "there are for-developer, for-investor"),
        (["recommend", "--use-case", "nope", "--surface", "x", "--user", "u"], "no file for nope"),
        ([*ASK[:-1], "a\ab"], "U+0007"),
        (["models", "rollback", "als", "--use-case", "startups"], "no older good version"),
        (["models", "rollback", "als", "--catalogue", "../x"], "must begin with"),
    ],
)
def test_an_expected_failure_is_one_line_and_exit_code_1(
    root: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    if "nope" in arguments or "a\ab" in arguments:
        service.export_startups(root)
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert told in printed.err
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["train", "fly"],
        ["models", "rollback", "als"],
        ["models", "rollback", "als", "--use-case", "startups", "--catalogue", "startups"],
        ["models", "rollback", "pickle", "--use-case", "startups"],
        [*ASK, "--about", "i001"],
        ASK[:-2],
    ],
)
def test_wrong_usage_is_exit_code_2_with_the_usage_on_stderr(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Usage: tandem" in printed.err


def test_rollback_points_to_the_older_model(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service.export_startups(root)
    service.publish(root, "als")
    service.publish(root, "als", service.als_arrays(seed=1))
    assert main(["models", "rollback", "als", "--use-case", "startups"]) == 0
    assert "als is als_v1 again" in capsys.readouterr().out
    assert main(ASK) == 0
    assert "als_v1" in capsys.readouterr().out
    assert main(["models", "rollback", "als", "--catalogue", "startups", "--version", "als_v2"]) == 0
    assert "als is als_v2 again" in capsys.readouterr().out


def test_models_lists_versions_and_why_one_is_refused(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service.export_startups(root)
    service.publish_all(root)
    (root / "models" / "startups" / "content_v1" / "terms.npy").unlink()
    assert main(["models"]) == 0
    *listed, last = capsys.readouterr().out.splitlines()
    assert last == "next: tandem doctor"
    lines = {line.split()[1]: line for line in listed}
    assert "als_v1" in lines["als"]
    assert "content_v1: terms.npy cannot be read" in lines["content"]


def test_doctor_names_the_next_command_at_every_stage(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def next_command() -> str:
        assert main(["doctor"]) == 0
        return capsys.readouterr().out.splitlines()[-1]

    assert next_command() == "next: manage.py generate_all_datasets"
    service.export_startups(root)
    assert next_command() in (
        "next: tandem train all --use-case startups",
        "next: manage.py generate_all_datasets",  # the made-up export is dated in the past
    )


def test_the_committed_reference_pages_are_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    assert reference_docs.stale() == []
    assert main(["docs", "--check"]) == 0
    assert capsys.readouterr().err == ""


def test_docs_writes_what_is_missing_and_check_tells_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ["--folder", str(tmp_path / "reference")]
    assert main(["docs", "--check", *folder]) == 1
    assert "environment.md is not up to date" in capsys.readouterr().err
    assert main(["docs", *folder]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "next: tandem docs --check"
    assert main(["docs", "--check", *folder]) == 0
    assert {path.name for path in (tmp_path / "reference").iterdir()} == set(reference_docs.PAGES)


def test_every_setting_is_in_the_environment_page() -> None:
    page = reference_docs.environment()
    for name in service.environment(Path("x")):
        assert f"| `{name}` |" in page
    assert str(reference_docs.FOLDER.parents[1]) not in page


@pytest.mark.parametrize(
    ("number", "fix"), [(errno.ENOSPC, "free some space"), (errno.EACCES, "not permitted"), (errno.ENOTDIR, "check the path")]
)
def test_a_file_that_cannot_be_written_is_one_line_that_tells_the_fix(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int, fix: str
) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number), str(root / "models" / "als_v2"))

    service.export_startups(root)
    service.publish(root, "als")
    monkeypatch.setattr("recommendation_service.publishing.store.ArtifactStore.rollback", refuse)
    assert main(["models", "rollback", "als", "--use-case", "startups"]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("error: models/als_v2: ")
    assert fix in printed
    assert printed.count("\n") == 1


def test_a_dry_run_with_spark_trains_nothing_and_needs_no_spark(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service.export_startups(root)
    assert main(["train", "als", "--use-case", "startups", "--engine", "spark", "--dry-run"]) == 0
    assert "would train als" in capsys.readouterr().out
    assert not (root / "models" / "startups" / "als.current").exists()
