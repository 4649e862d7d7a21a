"""The documents: every link leads somewhere, and every command they name exists and accepts its options."""

import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from recommendation_service.cli import PROGRAM
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
CALL = re.compile(
    r"(?:python -m (recommendation_service(?:\.\w+)+)|(?<![\w.-])tandem(?= [a-z])|manage\.py)((?: +[^\s`|#;&()<>\]]+)*)"
)
DEFAULTS = {"train": "als", "tune": "als", "evaluate": "file", "models": "list"}  # a KIND, or a FILE, stands for this one
SUBCOMMANDS = {name: PROGRAM.get_command(None, name).list_commands(None) for name in DEFAULTS}
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


def options_by_program() -> dict[tuple[str, ...], dict[str, str]]:
    """Program and sub-command -> option -> a document that uses it."""
    programs: dict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    for document, text in TEXTS.items():
        for call in CALL.finditer(re.sub(r"\\\n\s*", " ", text)):
            module, arguments = call[1], call[2].split()
            program = (
                (module,) if module and not module.endswith(".cli") else ("manage.py" if "manage.py" in call[0] else "tandem",)
            )
            if program[0] in {"manage.py", "tandem"}:
                program = (*program, *arguments[:1])
            if program[1:] and program[1] in DEFAULTS and program[0] == "tandem":
                default = DEFAULTS[program[1]]
                program = (*program, arguments[1] if arguments[1:] and arguments[1] in SUBCOMMANDS[program[1]] else default)
            options = (re.match(r"\[?(--[a-z][a-z0-9_-]*)", argument) for argument in arguments)
            programs[program] |= {option[1]: document for option in options if option}
    return {program: options for program, options in programs.items() if options}


OPTIONS = options_by_program()
PATHS = sorted(
    {
        (document, path)
        for document, text in TEXTS.items()
        for path in re.findall(r"`((?:[\w-]+/)+[\w.-]+\.(?:py|toml|sh|html|css|js|json|yaml|md))`", text)
        if document not in {"CHANGELOG.md", "docs/acceptance.md"}
    }
)
FOLDERS = ("", "recommendation_service", "backend", "backend/tandem", "backend/tandem/templates", "docs")
NOT_OURS = re.compile(
    r"app/|jobs/|board/|blog/|mysite/|use_cases/|data/|models/|BASE_DIR/"
)  # in the acceptance list, in the reader's project, or written by a command


@pytest.mark.parametrize(("document", "path"), PATHS)
def test_a_file_named_in_a_document_exists(document: str, path: str) -> None:
    assert NOT_OURS.match(path) or any((ROOT / folder / path).is_file() for folder in FOLDERS)


def help_of(program: tuple[str, ...]) -> str:
    """The help text that the program prints about itself."""
    if program[0] == "manage.py":
        command = load_command_class(get_commands()[program[1]], program[1])
        return str(command.create_parser("manage.py", program[1]).format_help())
    module = "recommendation_service.cli" if program[0] == "tandem" else program[0]
    done = subprocess.run(
        [sys.executable, "-m", module, *program[1:], "--help"],
        cwd=ROOT,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("program", OPTIONS, ids=" ".join)
def test_every_option_in_a_document_is_one_of_its_program(program: tuple[str, ...]) -> None:
    known = set(re.findall(r"--[a-z][a-z0-9_-]*", help_of(program)))
    assert {option: document for option, document in OPTIONS[program].items() if option not in known} == {}


def test_there_are_documents_and_links_to_check() -> None:
    assert {"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"} <= set(TEXTS)
    assert len(LINKS) > 20


@pytest.mark.parametrize(("document", "link"), LINKS)
def test_a_link_leads_to_a_file(document: str, link: str) -> None:
    assert (ROOT / document).parent.joinpath(link).resolve().exists()


def headings_of(path: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL), re.MULTILINE)
    plain = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("document", TEXTS)
def test_a_link_to_a_heading_finds_it(document: str) -> None:
    links = re.findall(r"\]\(((?![a-z]+:)[^)#\s]*)#([^)\s]+)\)", re.sub(r"\s*\n\s*", " ", TEXTS[document]))
    folder = (ROOT / document).parent
    assert [
        f"{file}#{anchor}" for file, anchor in links if anchor not in headings_of(folder / file if file else ROOT / document)
    ] == []


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
    assert [name for name in PROGRAM.list_commands(None) if f"`tandem {name}" not in text] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=TEXTS)
def test_a_document_names_no_place_of_one_machine(path: Path) -> None:
    assert not re.search(r"/(?:work|root|home/[a-z]+)/", path.read_text())


@pytest.mark.parametrize("path", sorted((ROOT / "docs/decisions").glob("*.md")), ids=lambda path: path.stem)
def test_a_decision_tells_context_choice_and_price_on_one_page(path: Path) -> None:
    text = path.read_text()
    assert all(f"**{part}.**" in text for part in ("Context", "Choice", "Price"))
    assert len(text.splitlines()) <= 60
    assert re.match(rf"# {path.stem[:4]} ", text)
