"""Brings a file of past interactions, or of items, into the database.

The file is read to its end before anything is written, so a damaged one changes nothing. The rows are written in short
transactions, so the site works meanwhile. If the database fails or the import is killed, what was written stays, and the same
import again writes the rest.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import connections, router, transaction
from django.db.models import Field, JSONField, Model

from recommendation_service.datasets.interaction_files.rows import Row, column_names, read_rows
from recommendation_service.datasets.interaction_files.values import is_empty
from recommendation_service.domain.ids import spelled_id
from recommendation_service.errors import InvalidInput
from tandem.selectors.transactions import Pace, writing
from tandem.services.record_interactions import ACCEPTED, DUPLICATE, REJECTED, record_interactions
from tandem.services.rejected_rows import RejectedRows
from tandem.sources import ItemSource
from tandem.trust.limits import Sender

BATCH = 10_000
PARTS = ("user", "item", "event", "value", "time", "event_id")
_OUTSIDE = {"user": "user_id", "item": "item_id"}

Say = Callable[[str], None]


@dataclass(slots=True)
class Imported:
    """How many rows became what."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    rejects: Path | None = None  # the file that says why


def import_interactions(
    path: Path,
    *,
    catalogue: str,
    mapping: Sequence[str],
    event: str | None = None,
    delimiter: str | None = None,
    dry_run: bool = False,
    say: Say = lambda _line: None,
) -> Imported:
    """Record every good row of a file; each is recognised when it comes again, so importing twice adds nothing.

    `mapping` holds "user=column" and so on; `event` is the event of all rows where the file has none. Raises
    InvalidInput, with the fix, for a file or a mapping that cannot be used; then nothing was written.
    """
    columns = _column_mapping(mapping, PARTS, column_names(path, delimiter))
    missing = sorted({"user", "item", *(() if event else ("event",))} - columns.keys())
    if missing:
        raise InvalidInput(f"say which column is the {missing[0]}: --map {missing[0]}=column" + _event_hint(missing[0]))
    _read_to_the_end(path, delimiter)
    done = Imported()
    would_write: set[UUID] | None = set() if dry_run else None
    with RejectedRows(path) as rejects:
        for batch in _batches(read_rows(path, delimiter)):
            rows = [_interaction(row, columns, event, catalogue) for _, row in batch]
            results = record_interactions(
                rows, source="import", sender=Sender.FILE, refuse_erased=True, would_write=would_write
            )
            for result, (line, row) in zip(results, batch, strict=True):
                done.accepted += result.status == ACCEPTED
                done.duplicates += result.status == DUPLICATE
                done.rejected += result.status == REJECTED
                for error in result.errors[:1]:
                    rejects.add(line, error["pointer"].lstrip("/"), error["detail"], row)
            say(f"  {done.accepted + done.duplicates + done.rejected:,} rows read")
    done.rejects = rejects.path if rejects.count else None
    return done


def import_items(
    path: Path,
    *,
    source: type[ItemSource],
    mapping: Sequence[str],
    list_separator: str = "|",
    delimiter: str | None = None,
    dry_run: bool = False,
    label: str = "",
    say: Say = lambda _line: None,
) -> Imported:
    """Add or update the items of a site's own model: `mapping` holds "field=column", the primary key among them.

    `label` names the model ("app.Model") if the catalogue has several. A column for a JSON field is cut into a list at
    `list_separator`. Raises InvalidInput as `import_interactions`.
    """
    model = _model_named(source, label)
    names = [field.name for field in model._meta.concrete_fields]
    columns = _column_mapping(mapping, names, column_names(path, delimiter))
    key = model._meta.pk.name
    if key not in columns:
        raise InvalidInput(f"say which column is the id: --map {key}=column")
    _read_to_the_end(path, delimiter)
    done = Imported()
    using = router.db_for_write(model)
    pace = Pace(most=1_000)
    with RejectedRows(path) as rejects:
        for batch in _batches(read_rows(path, delimiter)):
            good: dict[Any, Model] = {}
            for line, row in batch:
                try:
                    item = _item(model, row, columns, list_separator)
                except _BadField as error:
                    rejects.add(line, error.field, error.reason, row)
                else:
                    good[item.pk] = item
                    done.accepted += 1
            for part in pace.parts(list(good.values()), using=using):
                with writing(using):
                    _upsert(model, part, key, [name for name in columns if name != key])
                    transaction.set_rollback(dry_run, using=using)
            say(f"  {done.accepted + rejects.count:,} rows read")
    done.rejected, done.rejects = rejects.count, rejects.path if rejects.count else None
    return done


def _model_named(source: type[ItemSource], label: str) -> type[Model]:
    models = {part.item_model()._meta.label: part.item_model() for part in source.parts()}
    if label in models:
        return models[label]
    if label or len(models) > 1:
        raise InvalidInput(f"say which model the file has: --model, one of {', '.join(models)}")
    return next(iter(models.values()))


def _column_mapping(pairs: Sequence[str], allowed: Sequence[str], columns: Sequence[str]) -> dict[str, str]:
    """Return {"user": "userId"} for ["user=userId"]. Raises InvalidInput that lists what is allowed."""
    mapping = {}
    for pair in pairs:
        name, sign, column = pair.partition("=")
        if not sign or name not in allowed:
            raise InvalidInput(f"--map {pair}: write {'|'.join(allowed)}=column")
        if column not in columns:
            raise InvalidInput(f"--map {pair}: the file has no column '{column}'; it has {', '.join(columns)}")
        mapping[name] = column
    return mapping


class _BadField(Exception):
    """A cell that its model field does not take."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _read_to_the_end(path: Path, delimiter: str | None) -> None:
    """Raise InvalidInput for a file that is damaged anywhere."""
    for _ in read_rows(path, delimiter):
        pass


def _event_hint(missing: str) -> str:
    return ", or give one for all rows: --event like" if missing == "event" else ""


def _interaction(row: Mapping[str, Any], columns: Mapping[str, str], event: str | None, catalogue: str) -> dict[str, Any]:
    values: dict[str, Any] = {_OUTSIDE.get(part, part): _text(row.get(column)) for part, column in columns.items()}
    values.setdefault("event", event)
    parts = [catalogue, *(str(values.get(name)) for name in ("user_id", "item_id", "event", "time", "value"))]
    values["event_id"] = _uuid(values.get("event_id")) or uuid5(NAMESPACE_URL, "\x1f".join(parts))
    for name in ("time", "value"):
        values[name] = _number(values.get(name))
    return {"catalogue": catalogue, **values}


def _text(cell: Any) -> str | None:
    text = "" if cell is None else str(cell).strip()
    return None if is_empty(text) else text


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _number(text: Any) -> Any:
    """A number where the text is one; else the text, which is then refused or read as ISO 8601."""
    try:
        number = float(text)
    except (TypeError, ValueError):
        return text
    return number if math.isfinite(number) else text


def _item(model: type[Model], row: Mapping[str, Any], columns: Mapping[str, str], separator: str) -> Model:
    item = model()
    for name, column in columns.items():
        try:
            field: Field[Any, Any] = model._meta.get_field(name)  # type: ignore[assignment]  # of the concrete ones
            setattr(item, field.attname, _cell(field, row.get(column), separator))
        except ValidationError as error:
            raise _BadField(column, " ".join(error.messages)) from error
        except (InvalidInput, FieldDoesNotExist) as error:
            raise _BadField(column, str(error)) from error
    return item


def _cell(field: "Field[Any, Any]", cell: Any, separator: str) -> Any:
    if isinstance(field, JSONField):
        if isinstance(cell, str):
            cell = [part.strip() for part in cell.split(separator) if part.strip()]
        return cell if cell is not None else []
    if cell in (None, "") and field.null:
        return None
    value = field.clean(field.get_default() if cell is None else cell, None)
    if field.primary_key:
        spelled_id(str(value), field=field.name)
    return value


def _upsert(model: type[Model], items: Iterable[Model], key: str, fields: Sequence[str]) -> None:
    named = connections[router.db_for_write(model)].features.supports_update_conflicts_with_target  # MariaDB has no target
    model._default_manager.bulk_create(
        items,
        update_conflicts=bool(fields),
        ignore_conflicts=not fields,
        unique_fields=[key] if fields and named else None,
        update_fields=list(fields) or None,
    )
