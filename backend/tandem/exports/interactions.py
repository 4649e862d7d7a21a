"""Streams the integer columns of interactions as arrays, without an object per row.

PostgreSQL: COPY in its binary form. All columns are fixed-width and never null (COALESCE), so every row has the same
length and a block of rows is one numpy structured array. Anything else: batches of plain tuples from a cursor.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from numpy.typing import NDArray

from recommendation_service.datasets.event_table import Keys
from recommendation_service.datasets.records import EventBatch
from recommendation_service.domain.history import UNKNOWN_TIME
from recommendation_service.errors import DatasetError
from tandem.models import CatalogueKey, EventKey, ItemKey, UserInteraction, UserKey
from tandem.selectors.quarantined import quarantined_keys

BATCH = 50_000
TUPLES = 2_000  # more at once leave the processor's cache and are slower
BLOCK_BYTES = 8 << 20
COPY_HEADER = 19  # eleven bytes of signature, four of flags, four that say that nothing more comes
_COLUMNS = (("user", ">i8"), ("item", ">i8"), ("kind", ">i2"), ("value", ">f4"), ("time", ">i8"))
COPY_ROW = np.dtype(
    [("fields", ">i2"), *(pair for name, kind in _COLUMNS for pair in ((f"{name}_bytes", ">i4"), (name, kind)))]
)
NO_TIME = np.iinfo(np.int64).min  # -infinity in PostgreSQL
POSTGRES_EPOCH_S = 946_684_800.0  # 2000-01-01, from which PostgreSQL counts microseconds

Codes = NDArray[np.int64]


def database() -> BaseDatabaseWrapper:
    """Return the connection from which interactions are read."""
    connection: BaseDatabaseWrapper = connections[router.db_for_read(UserInteraction)]
    return connection


def event_names(known: tuple[str, ...]) -> tuple[str, ...]:
    """Return the events of the use case, then all other recorded events."""
    return (*known, *sorted(set(EventKey.objects.values_list("name", flat=True)) - set(known)))


def events_of(catalogue: str, names: tuple[str, ...]) -> Iterator[EventBatch]:
    """Yield the interactions of one catalogue in the order of arrival, without those of accounts in quarantine.

    Events are indexes into `names`.
    """
    key = CatalogueKey.objects.filter(name=catalogue).values_list("pk", flat=True).first()
    if key is None:
        return
    code_of = {name: code for code, name in enumerate(names)}
    keys = dict(EventKey.objects.values_list("pk", "name"))
    codes = np.zeros(max(keys, default=0) + 1, dtype=np.int64)
    for kind, name in keys.items():
        codes[kind] = code_of[name]
    connection = database()
    stream = _postgres(connection, key, codes) if connection.vendor == "postgresql" else _tuples(connection, key, codes)
    quarantined = np.array(sorted(quarantined_keys()), dtype=np.int64)
    for batch in stream:
        yield _without(batch, quarantined) if quarantined.size else batch


def _without(batch: EventBatch, users: Codes) -> EventBatch:
    rest = ~np.isin(batch.users, users)
    columns = (batch.users, batch.items, batch.events, batch.values, batch.times)
    return EventBatch(*(column[rest] for column in columns))


def user_keys() -> Keys:
    """Return the keys of all known users."""
    return _keys(UserKey.objects.values_list("pk", "user_id"))


def item_keys(catalogue: str) -> Keys:
    """Return the keys of all items of a catalogue that have interactions, including items that no longer exist."""
    return _keys(ItemKey.objects.filter(catalogue__name=catalogue).values_list("pk", "item_id"))


def _keys(pairs: Any) -> Keys:
    keys: list[int] = []
    ids: list[bytes] = []
    for key, outside_id in pairs.iterator(chunk_size=BATCH):
        keys.append(key)
        ids.append(outside_id.encode())
    return Keys(np.array(keys, dtype=np.int64), np.array(ids, dtype=np.bytes_) if ids else np.empty(0, dtype="S1"))


def _postgres(connection: BaseDatabaseWrapper, catalogue: int, codes: Codes) -> Iterator[EventBatch]:
    query = (
        "COPY (SELECT user_id, item_id, kind_id, coalesce(value, 'NaN')::float4, coalesce(time, '-infinity') "
        "FROM tandem_userinteraction WHERE catalogue_id = %s ORDER BY id) TO STDOUT (FORMAT binary)"
    )
    connection.ensure_connection()
    waiting, skipped = bytearray(), False
    with connection.connection.cursor() as cursor, cursor.copy(query, [catalogue]) as copy:
        for piece in copy:
            waiting += piece
            if len(waiting) >= BLOCK_BYTES:
                block, rest = _whole_rows(bytes(waiting), skipped)
                waiting, skipped = bytearray(rest), True
                yield _from_copy(block, codes)
    block, rest = _whole_rows(bytes(waiting), skipped)
    if rest != b"\xff\xff":
        raise DatasetError("the database ended its answer in the middle of a row; run the export again")
    yield _from_copy(block, codes)


def _whole_rows(block: bytes, skipped: bool) -> tuple[bytes, bytes]:
    """Return the complete rows of a block and the remaining bytes; the header precedes the first row."""
    start = 0 if skipped else COPY_HEADER
    stop = start + (len(block) - start) // COPY_ROW.itemsize * COPY_ROW.itemsize
    return block[start:stop], block[stop:]


def _from_copy(block: bytes, codes: Codes) -> EventBatch:
    rows = np.frombuffer(block, dtype=COPY_ROW)
    return EventBatch(
        users=rows["user"].astype(np.int64),
        items=rows["item"].astype(np.int64),
        events=codes[rows["kind"]],
        values=rows["value"].astype(np.float32),
        times=np.where(rows["time"] == NO_TIME, UNKNOWN_TIME, rows["time"] / 1e6 + POSTGRES_EPOCH_S),
    )


def _tuples(connection: BaseDatabaseWrapper, catalogue: int, codes: Codes) -> Iterator[EventBatch]:
    # +time has no declared type: the connection would make a datetime of every declared one, in Python
    query = "SELECT user_id, item_id, kind_id, value, +time FROM tandem_userinteraction WHERE catalogue_id = %s ORDER BY id"
    with connection.cursor() as cursor:
        cursor.execute(query, [catalogue])
        while rows := cursor.cursor.fetchmany(TUPLES):
            users, items, kinds, values, times = zip(*rows, strict=True)
            yield EventBatch(
                users=np.array(users, dtype=np.int64),
                items=np.array(items, dtype=np.int64),
                events=codes[np.array(kinds, dtype=np.int64)],
                values=np.array(values, dtype=np.float32),
                times=seconds(times),
            )


def seconds(texts: tuple[Any, ...]) -> NDArray[np.float64]:
    """Return seconds since 1970, UNKNOWN_TIME for None. SQLite stores a time as text, in UTC and without a zone."""
    moments = np.array(texts, dtype="datetime64[us]")
    return np.where(np.isnat(moments), UNKNOWN_TIME, moments.astype(np.int64) / 1e6)
