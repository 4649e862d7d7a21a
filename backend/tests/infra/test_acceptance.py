"""docs/acceptance.md: no line of a list is missing, and everything it points at is there."""

import re

import pytest

from tests.infra.place import ROOT

LISTS = {  # the numbers that each list uses
    "startups": ("002", set(range(1, 62)) - {35}),
    "shop": ("001", set(range(1, 65)) - {44, 46, 47}),
    "posts": ("003", set(range(2, 50))),
    "courses": ("004", set(range(1, 55)) - {14, 36}),
    "cleaning": ("000", set(range(1, 116)) - {64}),
    "quality": ("005", set(range(1, 15))),
}
TEXT = (ROOT / "docs/acceptance.md").read_text()
TEXTS = {name: TEXT.partition(f"\n## {name.capitalize()}\n")[2].partition("\n## ")[0] for name in LISTS}
ROWS = [
    (site, line, where)
    for site, text in TEXTS.items()
    for line, where in re.findall(r"^\| (\d{3}\.\d+) \| .+? \| .+? \| (.+) \|$", text, re.MULTILINE)
]
STATUSES = re.findall(r"^\| (\d{3}\.\d+) \| .+? \| (.+?) \| (.+) \|$", TEXT, re.MULTILINE)
POINTERS = sorted(
    {name for _, _, where in ROWS for name in re.findall(r"`([^`\s]+(?:/|\.)[^`\s]+)`", where) if "<" not in name}
)
WITHOUT_A_FOLDER = (".pkl", ".pth")  # said in a reason, not pointed at


def test_every_list_is_there_and_linked() -> None:
    assert [name for name in LISTS if not TEXTS[name] or f"](#{name})" not in TEXT] == []


@pytest.mark.parametrize("site", TEXTS)
def test_every_line_has_exactly_one_row_in_order(site: str) -> None:
    prefix, numbers = LISTS[site]
    assert [line for own, line, _ in ROWS if own == site] == [f"{prefix}.{number}" for number in sorted(numbers)]


@pytest.mark.parametrize(("line", "status", "where"), STATUSES, ids=[row[0] for row in STATUSES])
def test_a_row_has_a_status_and_what_works_names_a_test_of_its_behaviour(line: str, status: str, where: str) -> None:
    assert re.fullmatch(r"works|(partly|not built): .+", status), f"{line}: {status!r} is not a status"
    assert status != "works" or re.search(r"`[^`\s]+\.py::test_\w+`", where), f"{line} works, but names no test"


@pytest.mark.parametrize(("line", "where"), [row[1:] for row in ROWS], ids=[row[1] for row in ROWS])
def test_a_row_points_at_something_that_can_be_looked_at(line: str, where: str) -> None:
    assert any(f"`{pointer}`" in where for pointer in POINTERS)


@pytest.mark.parametrize("pointer", [one for one in POINTERS if one not in WITHOUT_A_FOLDER])
def test_what_a_row_points_at_exists(pointer: str) -> None:
    name, _, test = pointer.partition("::")
    if not name.startswith("/") and name != "app.py":
        assert (ROOT / name).is_file(), pointer
        assert not test or f"def {test}(" in (ROOT / name).read_text(), pointer
