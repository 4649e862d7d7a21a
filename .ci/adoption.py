"""Print what a site of other people needs to add Tandem, each figure with its goal. It runs tests for some minutes.

Lines and commands are counted in docs/guides/site-shop.md, which a test follows in an Oscar shop. Packages are those of the
wheel for the Django half. Statements, shapes of event tables and harms are results of tests.
"""

import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "backend")]
from tests.support.wheel import build_wheel, distributions_of  # noqa: E402 - found by the path above

PAGE = ROOT / "docs/guides/site-shop.md"
HALF, MORE = ("django",), ("django", "api", "redis", "postgres")  # the extras of the Django half, and all that it can use
SHAPES, HARMS = (
    "backend/tests/tandem/event_sync/test_shapes.py",
    ("backend/tests/tandem/event_sync/test_never_harm.py", "backend/tests/foreign/test_harms.py"),
)
FAMILY = ("-o", "junit_family=xunit1")  # the form of the report that holds properties
BUDGET = "backend/tests/tandem/services/test_query_budget.py"
FOREIGN, QUICKSTART = "backend/tests/foreign", "backend/tests/infra/test_quickstart.py"


class Row(NamedTuple):
    """One line of the table."""

    figure: str
    measured: str
    goal: str


class Result(NamedTuple):
    """What the tests of one file or folder gave."""

    passed: int
    failed: int
    properties: dict[str, str]

    def __str__(self) -> str:
        return f"{self.passed} of {self.passed + self.failed} tests pass"


def run(*paths: str) -> Result:
    """Run these tests and return their result."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *FAMILY, *paths]
        subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        cases = list(ElementTree.parse(report).iter("testcase"))  # noqa: S314 - pytest wrote it a moment ago
    bad = sum(any(child.tag in ("failure", "error") for child in case) for case in cases)
    skipped = sum(any(child.tag == "skipped" for child in case) for case in cases)
    properties = {one.get("name", ""): one.get("value", "") for case in cases for one in case.iter("property")}
    return Result(len(cases) - bad - skipped, bad, properties)


def blocks(language: str) -> list[str]:
    """Return the lines of the page's code blocks in this language, without comments and blank lines."""
    text = "\n".join(re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", "{#"))]


def packages(extras: tuple[str, ...]) -> str:
    """Return the number of packages that these extras add to Django's own, Tandem among them, and their size in MB."""
    with tempfile.TemporaryDirectory() as folder:
        wheel = build_wheel(Path(folder))
        added = distributions_of(wheel, extras)
    own = {"django", "asgiref", "sqlparse"}
    sizes = [
        file.locate().stat().st_size
        for name, part in added.items()
        if name not in own
        for file in part.files or ()
        if file.locate().is_file()
    ]
    return f"{len(added.keys() - own) + 1}, {sum(sizes) / 1e6:.0f} MB"


def rows() -> list[Row]:
    """Return every figure."""
    budget = run(BUDGET)
    return [
        Row("quickstart in a project of its own", str(run(QUICKSTART)), "passes"),
        Row("lines by hand for three lists in Oscar", str(len(blocks("python")) + len(blocks("html"))), "at most 20"),
        Row("commands after Oscar runs", str(len(blocks("sh"))), "at most 5"),
        Row("projects of other people, such as Oscar and wagtail", str(run(FOREIGN)), "all"),
        Row("shapes of event tables, live and by sync", str(run(SHAPES)), "all"),
        Row("harms to the site", str(run(*HARMS)), "all"),
        Row("packages of the Django half", packages(HALF), "at most 15, 250 MB"),
        Row("packages with REST API, Redis and PostgreSQL", packages(MORE), "no goal"),
        Row("statements of a list, uncached", budget.properties["uncached"], "at most 6"),
        Row("statements of a list, cached", budget.properties["cached"], "at most 1"),
    ]


def main() -> int:
    """Print the table."""
    measured = rows()
    for row in [Row("figure", "measured", "goal"), *measured]:
        sys.stdout.write(f"{row.figure:<60} {row.measured:<24} {row.goal}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
