"""The table of kinds is complete, and it is the only place that lists them."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from recommendation_service.kinds import KINDS, factories, names_where, resolve

ROOT = Path(__file__).parents[2]
LISTING = 4  # names of engines in one literal that make it a list of kinds
ENGINES = set(names_where(role="engine"))
ALLOWED = {
    "recommendation_service/kinds.py",
    "recommendation_service/commands/evaluate_file/plots.py",  # colours of lines, which have a default
    "backend/sites/courses/views.py",  # the strategies that the courses list names
}


def product_files() -> Iterator[Path]:
    for folder in ("recommendation_service", "backend", "app"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            relative = path.relative_to(ROOT).as_posix()
            if "/tests/" not in f"/{relative}" and relative not in ALLOWED:
                yield path


def literals(path: Path) -> Iterator[tuple[int, set[str]]]:
    """Line and text constants of every list, tuple, set and dictionary literal."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            entries = node.elts
        elif isinstance(node, ast.Dict):
            entries = [key for key in node.keys if key is not None]
        else:
            continue
        yield (
            node.lineno,
            {entry.value for entry in entries if isinstance(entry, ast.Constant) and isinstance(entry.value, str)},
        )


def test_no_other_file_lists_the_kinds_of_engines() -> None:
    lists = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in product_files()
        for line, words in literals(path)
        if len(words & ENGINES) >= LISTING
    ]
    assert lists == []


@pytest.mark.parametrize("name", KINDS)
def test_every_path_of_a_row_can_be_imported(name: str) -> None:
    kind = KINDS[name]
    for path in (kind.factory, kind.trainer, kind.pair_trainer, kind.parameters):
        if path:
            assert callable(resolve(path))


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.trainer])
def test_a_search_varies_only_settings_that_the_kind_has(name: str) -> None:
    defaults = resolve(KINDS[name].parameters)()
    for stage in KINDS[name].search:
        assert set(stage) <= set(defaults.__dataclass_fields__)


def test_a_kind_that_needs_a_model_says_which_arrays_it_has() -> None:
    assert [name for name, kind in KINDS.items() if kind.needs_model and not kind.arrays] == []


def test_reading_the_table_imports_neither_torch_nor_flask_nor_django() -> None:
    program = """
import sys
from recommendation_service.kinds import KINDS
assert len(KINDS) > 10
print([name for name in ("torch", "implicit", "flask", "django", "numpy") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_factories_are_those_of_one_role() -> None:
    assert set(factories("estimator")) == {"bid"}
    assert set(factories("ranker")) == {"learned", "cross_encoder"}
