"""A new version of which only some parts are read again: the others are the last version's, in the new rows."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pyarrow
import pyarrow.parquet

from recommendation_service.core.numeric import Ints
from recommendation_service.datasets.derived_signals import Histories, csr_of, popularity
from recommendation_service.datasets.export_content import Content, Say, Source, read
from recommendation_service.datasets.reader import Dataset
from recommendation_service.datasets.writer import TRAIN, TRAIN_SCHEMA
from recommendation_service.domain.idmap import IdMap
from recommendation_service.use_cases.schema import UseCase


def read_partly(
    source: Source, use_case: UseCase, catalogue: str, before: Dataset, fresh: Collection[str], *, now: float, say: Say
) -> Content:
    """The parts in `fresh` from `source`, the others from `before`. Everyone known before keeps a row."""
    if "catalogue" not in fresh:
        source = replace(
            source, items=before.records, people=lambda: zip(before.user_ids.ids(), before.profiles(), strict=True)
        )
    if set(fresh) == {"catalogue"}:
        source = replace(source, events=lambda: ())
    content = read(source, use_case, catalogue, now=now, say=say, more_users=before.user_ids.ids())
    users = content.user_ids.rows_of_bytes(before.user_ids.array)
    items = content.item_ids.rows_of_bytes(before.array("item_ids"))
    if "two_tower" not in fresh:
        content = replace(content, train=_train(before, users, items))
    if "als" not in fresh:
        content = _als(content, before, users, items)
    return content


def _train(before: Dataset, users: Ints, items: Ints) -> pyarrow.Table:
    table = pyarrow.parquet.read_table(before.folder / f"{TRAIN}.parquet", schema=TRAIN_SCHEMA)
    user_rows = users[table.column("user_index").to_numpy()].astype(np.int32)
    item_rows = items[table.column("item_index").to_numpy()].astype(np.int32)
    table = table.set_column(0, TRAIN_SCHEMA.field(0), pyarrow.array(user_rows))
    table = table.set_column(1, TRAIN_SCHEMA.field(1), pyarrow.array(item_rows))
    return table.filter(pyarrow.array(item_rows >= 0))


def _als(content: Content, before: Dataset, users: Ints, items: Ints) -> Content:
    old = before.interactions().tocoo()
    rows, columns = users[old.coords[0]], items[old.coords[1]]
    kept = columns >= 0
    shape = (len(content.user_ids), len(content.item_ids))
    matrix = csr_of(old.data[kept], rows[kept], columns[kept], shape)
    counts = {name: before.summary["counts"][name] for name in content.counts}
    return replace(
        content,
        matrix=matrix,
        popularity=popularity(matrix),
        histories=_histories(before, users, items, content.user_ids),
        event_names=tuple(before.summary["event_names"]),
        counts=counts,
        newest_event=before.summary["newest_event"],
    )


def _histories(before: Dataset, users: Ints, items: Ints, user_ids: IdMap) -> Histories:
    """Ids are sorted in both versions, so the old order of users is the new one: only the rows between grow."""
    indptr = before.array("history_indptr")
    rows = items[before.array("history_items")]
    owners = np.repeat(users, np.diff(indptr))
    kept = rows >= 0
    counts = np.bincount(owners[kept], minlength=len(user_ids))
    events, times, values = (before.array(f"history_{name}")[kept] for name in ("events", "times", "values"))
    return Histories(
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), rows[kept].astype(np.int32), events, times, values
    )
