"""docs/acceptance.md: no line of the list is missing, and everything it points at is there."""

import re

import pytest

from tests.infra.place import ROOT

TEXT = (ROOT / "docs/acceptance.md").read_text()
LINES = [f"002.{number}" for number in range(1, 62) if number != 35]  # the list has no 002.35
ROWS = re.findall(r"^\| (002\.\d+) \| .+? \| (.+) \|$", TEXT, re.MULTILINE)
POINTERS = sorted({name for _, where in ROWS for name in re.findall(r"`([^`\s]+(?:/|\.)[^`\s]+)`", where) if "<" not in name})
WITHOUT_A_FOLDER = (".pkl", ".pth")  # said in a reason, not pointed at


def test_every_line_has_exactly_one_row_in_order() -> None:
    assert [line for line, _ in ROWS] == LINES


@pytest.mark.parametrize(("line", "where"), ROWS, ids=[line for line, _ in ROWS])
def test_a_row_points_at_something_that_can_be_looked_at(line: str, where: str) -> None:
    assert any(f"`{pointer}`" in where for pointer in POINTERS)


@pytest.mark.parametrize("pointer", [one for one in POINTERS if one not in WITHOUT_A_FOLDER])
def test_what_a_row_points_at_exists(pointer: str) -> None:
    name, _, test = pointer.partition("::")
    if not name.startswith("/") and name != "app.py":
        assert (ROOT / name).is_file(), pointer
        assert not test or f"def {test}(" in (ROOT / name).read_text(), pointer


@pytest.mark.parametrize("number", re.findall(r"\(decisions/([^)]+)\)", TEXT))
def test_a_decision_named_there_exists(number: str) -> None:
    assert (ROOT / "docs/decisions" / number).is_file()
