"""The README shows what the program really answers."""

import json
import re
from typing import Any

import pytest
import yaml

from tests.infra.place import ROOT

README = (ROOT / "README.md").read_text()
SHOWN: dict[str, Any] = json.loads(re.search(r"```json\n(.*?)```", README, re.DOTALL)[1])  # type: ignore[index]  # the test fails without it
SERVICE = json.loads((ROOT / "docs/reference/service.openapi.json").read_text())["components"]["schemas"]
BACKEND = yaml.safe_load((ROOT / "docs/reference/backend.openapi.yaml").read_text())["components"]["schemas"]


def answer_schema(schemas: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in schemas.values() if "method_used" in one.get("properties", {}))


@pytest.mark.parametrize("schemas", [SERVICE, BACKEND], ids=["service", "backend"])
def test_the_shown_answer_has_exactly_the_keys_of_the_schema(schemas: dict[str, Any]) -> None:
    assert set(SHOWN) == set(answer_schema(schemas)["properties"])


def test_the_shown_items_have_exactly_the_keys_of_the_schema() -> None:
    item = next(one for one in SERVICE.values() if {"item_id", "score", "position"} <= set(one.get("properties", {})))
    for one in SHOWN["recommendations"]:
        assert set(one) == set(item["properties"])


def test_the_shown_answer_is_that_of_the_shown_curl() -> None:
    asked = re.search(r"/api/recommendations/(\w+)/([\w-]+)/([\w-]+)\?limit=(\d+)", README)
    assert asked is not None
    assert [SHOWN["use_case"], SHOWN["surface"], SHOWN["user_id"]] == list(asked.groups()[:3])
    assert len(SHOWN["recommendations"]) == int(asked[4])


def test_the_text_stays_short_and_its_picture_exists() -> None:
    assert len(README.splitlines()) < 100
    for picture in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README):
        assert (ROOT / picture).is_file()
