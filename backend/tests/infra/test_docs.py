"""The documents: every link leads somewhere, and every command they name exists."""

import re
from pathlib import Path

import pytest

from tests.infra.place import ROOT, committed

DOCUMENTS = sorted(path for path in committed("*.md") if path.is_relative_to(ROOT))
LINKS = sorted(
    {
        (str(path.relative_to(ROOT)), link)
        for path in DOCUMENTS
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text())
        if not re.match(r"[a-z]+:", link)
    }
)
TEXTS = {str(path.relative_to(ROOT)): path.read_text() for path in DOCUMENTS}
PROGRAMS = sorted({found for text in TEXTS.values() for found in re.findall(r"python -m (recommendation_service[\w.]*)", text)})
COMMANDS = sorted({found for text in TEXTS.values() for found in re.findall(r"manage\.py ([a-z][a-z_]+)", text)})
TARGETS = sorted(
    {word for text in TEXTS.values() for line in re.findall(r"^make ([a-z -]+)", text, re.MULTILINE) for word in line.split()}
)
DJANGOS = {
    "migrate",
    "check",
    "createsuperuser",
    "runserver",
    "collectstatic",
    "makemigrations",
    "startapp",
    "shell",
    "test",
    "help",
}


def test_there_are_documents_and_links_to_check() -> None:
    assert {"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"} <= set(TEXTS)
    assert len(LINKS) > 20


@pytest.mark.parametrize(("document", "link"), LINKS)
def test_a_link_leads_to_a_file(document: str, link: str) -> None:
    assert (ROOT / document).parent.joinpath(link).resolve().exists()


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_named_in_a_document_exists(program: str) -> None:
    path = ROOT.joinpath(*program.rstrip(".").split("."))
    assert path.with_suffix(".py").is_file() or path.is_dir()


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - DJANGOS))
def test_a_management_command_named_in_a_document_exists(command: str) -> None:
    assert list((ROOT / "backend").rglob(f"management/commands/{command}.py"))


@pytest.mark.parametrize("target", TARGETS)
def test_a_make_target_named_in_a_document_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_reference_of_commands_names_every_one() -> None:
    text = (ROOT / "docs/reference/commands.md").read_text()
    own = [path.stem for path in (ROOT / "backend").rglob("management/commands/[a-z]*.py")]
    entries = [path for path in (ROOT / "recommendation_service").rglob("*.py") if '__name__ == "__main__"' in path.read_text()]
    programs = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__") for path in entries]
    assert len(own) > 10
    assert len(programs) > 5
    assert [command for command in own if f"`{command}" not in text] == []
    assert [program for program in programs if f"python -m {program}" not in text] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=TEXTS)
def test_a_document_names_no_place_of_one_machine(path: Path) -> None:
    assert not re.search(r"/(?:work|root|home/[a-z]+)/", path.read_text())


@pytest.mark.parametrize("path", sorted((ROOT / "docs/decisions").glob("*.md")), ids=lambda path: path.stem)
def test_a_decision_tells_context_choice_and_price_on_one_page(path: Path) -> None:
    text = path.read_text()
    assert all(f"**{part}.**" in text for part in ("Context", "Choice", "Price"))
    assert len(text.splitlines()) <= 60
    assert re.match(rf"# {path.stem[:4]} ", text)
