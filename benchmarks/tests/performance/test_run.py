"""The names of `make bench`: each is a module that measures, and each is in the table of the README."""

import re
from pathlib import Path

import pytest

from benchmarks.performance import run


def test_every_module_that_measures_has_a_name():
    folder = Path(run.__file__).parent
    assert {path.stem for path in folder.glob("*.py") if "\ndef measure(" in path.read_text()} == set(run.MODULES.values())
    assert set(run.known()) == set(run.MODULES)


def test_the_readme_lists_every_name():
    readme = (Path(run.__file__).parent / "README.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE)) == set(run.MODULES)


def test_a_wrong_name_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit, match="2"):
        run.main(["proxy"])
    assert "there are requests, memory, hop" in capsys.readouterr().err
