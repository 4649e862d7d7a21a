"""What pyproject.toml declares is what the code imports, extra by extra."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from tests.infra.place import ROOT
from tests.support.wheel import canonical

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
BACKEND = ROOT / "backend"
SERVICE = ROOT / "recommendation_service"
PACKAGES_OF = {name: [canonical(one) for one in names] for name, names in metadata.packages_distributions().items()}
PACKAGES_OF.setdefault("pyspark", ["pyspark"])  # 450 MB, so `make test-spark` installs it
PARTS_OF = {"werkzeug": "flask", "markupsafe": "flask", "pydantic-core": "pydantic", "safetensors": "sentence-transformers"}
USED_BY_NAME = {  # declared, and used without an import or a dotted name in our code
    "gunicorn": "the server that starts both halves",
    "psycopg": "the database driver that Django and SQLAlchemy load",
    "pgvector": "the extension's types, for the tests of the vectors in PostgreSQL",
}


def file_of(module: str) -> Path | None:
    for root in (ROOT, BACKEND):
        path = root.joinpath(*module.split("."))
        for candidate in (path.with_suffix(".py"), path / "__init__.py"):
            if candidate.is_file():
                return candidate
    return None


def imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_import(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """The statements that run while a module is imported, without those under `try`, which may fail."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If) and "TYPE_CHECKING" not in ast.unparse(statement.test):
            yield from at_import(statement.body)


def imports_of(*files: Path, lazily: bool = False, follow: bool = True) -> set[str]:
    """The import names of these files and of our modules that they import.

    With `lazily`, also of imports in functions and under `try`, and of modules named by a dotted text, as in settings.
    """
    found: set[str] = set()
    open_ = list(files)
    seen = set(open_)
    while open_:
        tree = ast.parse(open_.pop().read_text())
        nodes = list(ast.walk(tree)) if lazily else list(at_import(tree.body))
        names = {name for node in nodes for name in imported(node)}
        paths = {path for name in names if (path := file_of(name)) is not None} if follow else set()
        open_ += paths - seen
        seen |= paths
        if lazily:
            texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
            names |= {text for text in texts if re.fullmatch(r"[a-z_]+(\.\w+)*", text)}
        found |= {name.partition(".")[0] for name in names}
    return found


def outside(names: set[str]) -> set[str]:
    """The distributions of those import names, without the standard library and our own."""
    ours = {path.name for path in (ROOT / "app", SERVICE, *BACKEND.iterdir())} | {"benchmarks"}
    packages = {name for name in names - set(sys.stdlib_module_names) - ours if name in PACKAGES_OF}
    return {PARTS_OF.get(package, package) for name in packages for package in PACKAGES_OF[name]}


def declared(*extras: str) -> set[str]:
    """The distributions that those extras name."""
    lines = [line for extra in extras for line in (EXTRAS[extra] if extra else PROJECT["dependencies"])]
    own = [name for line in lines for name in re.findall(r"^tandem-recommendations\[(.+)\]$", line)]
    nested = [extra for names in own for extra in names.split(",")]
    names = {canonical(re.match(r"[\w.-]+", line)[0]) for line in lines}  # type: ignore[index]  # each begins with a name
    return names - {"tandem-recommendations"} | (declared(*nested) if nested else set())


def modules(*roots: Path, without: tuple[str, ...] = ()) -> list[Path]:
    files = [path for root in roots for path in (root.rglob("*.py") if root.is_dir() else [root])]
    skipped = {"tests", *without}
    return [path for path in files if not skipped & set(path.relative_to(ROOT).parts)]


APP_WITH_BACKEND = ("api", "logging", "backend.py", "analytics_service.py")  # of `app`: views of the backend, and calls to it
REFERENCE = [BACKEND / name for name in ("api", "config", "demo", "recommendations", "sites", "storefront")]
CROSS_ENCODER = SERVICE / "commands/cross_encoder_server.py"
COMMANDS = [path for path in modules(SERVICE / "commands") if path != CROSS_ENCODER]
FILES = {
    "django": modules(BACKEND / "tandem", without=("api", "exports")),
    "api": modules(BACKEND / "tandem/api"),
    "export": modules(BACKEND / "tandem/exports"),
    "serve": [SERVICE / "app.py", SERVICE / "gunicorn.conf.py", SERVICE / "cli.py"],
    "train": [*modules(SERVICE / "training", ROOT / "app", without=("spark", *APP_WITH_BACKEND)), *COMMANDS],
    "spark": modules(SERVICE / "training/spark"),
    "rerank": [SERVICE / "commands/program.py", CROSS_ENCODER, SERVICE / "training/models/sentence_models.py"],
    "backend": modules(*REFERENCE),
}
ALSO = {  # installed beside it
    "api": ("django",),
    "export": ("django",),
    "train": ("serve",),
    "spark": ("serve", "train"),
    "rerank": ("serve", "train"),
}
ELSEWHERE = {"redis": ("django",), "postgres": (), "vectors": (), "dev": ()}  # extras without modules of their own


def test_every_extra_is_compared() -> None:
    assert set(EXTRAS) == set(FILES) | set(ELSEWHERE)


@pytest.mark.parametrize("extra", FILES)
def test_what_an_extra_imports_is_declared(extra: str) -> None:
    assert outside(imports_of(*FILES[extra])) - declared("", extra, *ALSO.get(extra, ())) == set()


@pytest.mark.parametrize("extra", FILES)
def test_what_an_extra_declares_is_imported(extra: str) -> None:
    used = outside(imports_of(*FILES[extra], lazily=True)) | set(USED_BY_NAME)
    nested = declared("django", "api", "redis", "postgres", "export") if extra == "backend" else set()
    assert declared(extra) - nested - used == set()


def test_the_base_is_what_both_halves_import() -> None:
    halves = [outside(imports_of(*FILES[extra])) for extra in ("django", "serve")]
    assert declared("") == (halves[0] & halves[1])


def test_redis_is_optional() -> None:
    cache = BACKEND / "tandem/cache.py"
    assert "redis" not in imports_of(cache, follow=False)
    assert "redis" in imports_of(cache, follow=False, lazily=True)


def test_the_requirements_file_names_the_packages_of_the_list_and_the_extras_of_the_project() -> None:
    lines = (SERVICE / "requirements.txt").read_text().splitlines()
    requirements = [line for line in lines if line and not line.startswith("#")]
    extras = {name for line in requirements for names in re.findall(r"^-e \.\[(.+)\]$", line) for name in names.split(",")}
    assert {"serve", "train"} <= extras <= set(EXTRAS)
    listed = dict(line.split(">=") for line in requirements if not line.startswith("-e"))
    assert {"implicit", "scipy"} <= set(listed) & declared("", "train")
    for name, least in listed.items():
        assert [int(part) for part in metadata.version(name).split(".")[:2]] >= [int(part) for part in least.split(".")[:2]]
