"""Writes the generated pages of docs/reference from the code."""

import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from recommendation_service import errors, settings
from recommendation_service.app import create_app
from recommendation_service.datasets import reader
from recommendation_service.kinds import FLOAT, INTEGER, KINDS, TEXT
from recommendation_service.publishing.versions import write_whole
from recommendation_service.settings import PACKAGE, Settings
from recommendation_service.training.report import Report
from recommendation_service.web.errors import OUTSIDE

FOLDER = PACKAGE.parent / "docs" / "reference"
MARK = "<!-- Written by `tandem docs`; do not edit by hand. -->\n\n"


def docs(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 if a page is not up to date.")] = False,
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder of the pages.")] = FOLDER,
) -> int:
    """Write the generated pages of docs/reference.

    Example: tandem docs --check
    """
    names = stale(folder)
    if check:
        for name in names:
            sys.stderr.write(f"error: docs/reference/{name} is not up to date; run: tandem docs\n")
        if not names:
            typer.echo("all pages are up to date")
        return 1 if names else 0
    write(folder)
    typer.echo("\n".join(f"wrote {name}" for name in names) or "nothing to write: all pages are up to date")
    Report().next_command("tandem docs --check")
    return 0


def environment() -> str:
    """Return the page with the table of settings."""
    rows = ["| variable | default | what it does |", "| --- | --- | --- |"]
    for field in Settings.model_fields.values():
        rows.append(f"| `{field.alias}` | {_default(field.default)} | {field.description} |")
    return f"""# Environment of the service

{MARK}The service reads the environment once, at the start. A name that begins with `{settings.PREFIX}` and is not in
this table stops the start. Secrets are never printed: `tandem show-config` masks them.

{chr(10).join(rows)}
"""


def _default(value: object) -> str:
    if value is PydanticUndefined or value is None:
        return "unset"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Path):
        value = value.relative_to(PACKAGE.parent).as_posix()
    return f"`{value}`" if value != "" else "empty"


def error_codes() -> str:
    """Return the page with the table of error codes."""
    rows = ["| code | status | meaning |", "| --- | --- | --- |"]
    for _, one in inspect.getmembers(errors, inspect.isclass):
        if issubclass(one, errors.TandemError) and one is not errors.TandemError:
            first_line = (inspect.getdoc(one) or "").splitlines()[0]
            rows.append(f"| `{one.code}` | {int(one.status)} {one.status.phrase} | {first_line} |")
    for status, (code, detail) in OUTSIDE.items():
        rows.append(f"| `{code}` | {int(status)} {status.phrase} | {detail[0].upper()}{detail[1:]}. |")
    rows.append("| `internal_error` | 500 Internal Server Error | An unexpected error; the log has the traceback. |")
    return f"""# Errors

{MARK}Every error is `application/problem+json` (RFC 9457): `type`, `title`, `status`, `detail`, `instance`, and our own
`code`, `request_id` and `errors` (a JSON pointer and a detail for each wrong input). Programs should look at `code`;
`detail` is for people and names the fix. A 500 has no details; they are in the log.

{chr(10).join(rows)}
"""


def formats() -> str:
    """Return the page about the formats of exports and models."""
    export = inspect.getdoc(reader) or ""
    sections = []
    for kind, row in KINDS.items():
        if not row.arrays:
            continue
        rows = [
            f"| `{name}` | {_type(types)} | ({', '.join(dimensions)}) |" for name, (types, dimensions) in row.arrays.items()
        ]
        rows += [
            f"| `{name}` (optional) | {_type(types)} | ({', '.join(dimensions)}) |"
            for name, (types, dimensions) in row.optional_arrays.items()
        ]
        sections.append("\n".join([f"### {kind}", "", "| array | type | shape |", "| --- | --- | --- |", *rows]))
    return f"""# Formats

{MARK}## Publishing

Exports and models are numbered folders next to a pointer file: `als_v3/` and `als.current`, which has the name of
the current version and the SHA-256 of its manifest. A version is written to a draft, synced and renamed; then the
pointer changes. Readers verify every byte before they use it; a damaged version is refused, and the last good one stays.

## Export

```text
{export}
```

## Models

`models/<catalogue>/<kind>_vN/` holds one `.npy` file per array and `manifest.json`: kind, catalogue, time, parameters,
fingerprint of the export, metrics, library versions, and for each file its size, type, shape and SHA-256. No file is
a pickle. Row i of the item arrays belongs to `item_ids[i]`; ids, terms and attributes are unique and ascending.
Letters in shapes are sizes that must be equal within one model: n items, m users, k or d factors, h hidden units,
a attributes, t terms, z stored values, j members, s segments, f features, r trees, v nodes of trees, p arms,
b bytes, w tokens.

{(chr(10) * 2).join(sections)}
"""


def _type(kinds: str) -> str:
    return {FLOAT: "float", INTEGER: "integer", TEXT: "bytes (UTF-8)"}[kinds]


def openapi() -> str:
    """Return the OpenAPI document of the service as JSON text."""
    with_no_models = Settings(
        ENV="dev",
        RS_INSECURE_DEV=True,
        RS_RELOAD_SECONDS=0,
        RS_DATA_DIR=Path("none"),
        RS_MODELS_DIR=Path("none"),
        RS_LOG_FILE=Path("/dev/null"),
        RS_LOG_LEVEL="ERROR",
    )
    document = create_app(with_no_models).test_client().get("/openapi.json").json
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "environment.md": environment,
    "errors.md": error_codes,
    "formats.md": formats,
    "service.openapi.json": openapi,
}


def stale(folder: Path = FOLDER) -> list[str]:
    """Return the names of the pages whose file is missing or has another content."""
    return [name for name, page in PAGES.items() if _read(folder / name) != page()]


def write(folder: Path = FOLDER) -> None:
    """Write every page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        write_whole(folder / name, page().encode())


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None
