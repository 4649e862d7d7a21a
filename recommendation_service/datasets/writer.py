"""Writes the files of one export, part by part, in the format that `reader` describes."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.csv
import pyarrow.parquet
from scipy import sparse

from recommendation_service.core.numeric import Floats
from recommendation_service.datasets.event_table import EventTable, Histories
from recommendation_service.datasets.pair_features import PAIRED
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.domain.history import UNKNOWN_TIME
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.query import Profile

ROWS_AT_ONCE = 1_000_000
TRAIN = "two_tower_train"
EVENT_FIELDS = {"event": pyarrow.string(), "weight": pyarrow.float32(), "timestamp": pyarrow.float64()}
TRAIN_SCHEMA = pyarrow.schema({"user_index": pyarrow.int32(), "item_index": pyarrow.int32(), **EVENT_FIELDS})
CSV_SCHEMA = pyarrow.schema({"user_id": pyarrow.string(), "item_id": pyarrow.string(), **EVENT_FIELDS})


def write_items(folder: Path, item_ids: IdMap, records: Iterable[ItemRecord], popularity: Floats) -> None:
    """`catalogue.jsonl` and `item_ids.npy`; the records come in row order."""
    np.save(folder / "item_ids.npy", item_ids.array, allow_pickle=False)
    with (folder / "catalogue.jsonl").open("wb") as file:
        for record, weight in zip(records, popularity.tolist(), strict=True):
            line = asdict(record)
            for name in PAIRED:
                if not line[name]:
                    del line[name]
            file.write(_line({**line, "popularity": weight}))


def write_people(folder: Path, user_ids: IdMap, profiles: Mapping[str, Profile]) -> None:
    """`user_ids.npy`, `profiles.jsonl` and its offsets; a user without a profile gets {}."""
    np.save(folder / "user_ids.npy", user_ids.array, allow_pickle=False)
    offsets = np.zeros(len(user_ids) + 1, dtype=np.int64)
    with (folder / "profiles.jsonl").open("wb") as file:
        for row, user_id in enumerate(user_ids.array.tolist()):
            offsets[row + 1] = offsets[row] + file.write(_line(profiles.get(user_id.decode(), {})))
    np.save(folder / "profile_offsets.npy", offsets, allow_pickle=False)


def write_matrix(folder: Path, matrix: sparse.csr_array, user_ids: IdMap, item_ids: IdMap) -> None:
    """`als_interactions.npz` and the mappings of its rows and columns, both ways."""
    sparse.save_npz(folder / "als_interactions.npz", matrix, compressed=False)
    for name, ids in (("user", user_ids.ids()), ("item", item_ids.ids())):
        mapping = {"id_to_index": {outside_id: row for row, outside_id in enumerate(ids)}, "index_to_id": ids}
        (folder / f"als_{name}_mapping.json").write_bytes(_line(mapping))


def write_histories(folder: Path, histories: Histories) -> None:
    """The `history_*.npy` files."""
    for name in ("indptr", "items", "events", "times", "values"):
        np.save(folder / f"history_{name}.npy", getattr(histories, name), allow_pickle=False)


def train_table(table: EventTable, weights: Floats, names: Sequence[str]) -> pyarrow.Table:
    """The events as `two_tower_train.parquet` holds them; the event is a dictionary column until it is written."""
    dictionary = pyarrow.array(list(names), pyarrow.string())
    event = pyarrow.DictionaryArray.from_arrays(pyarrow.array(table.events), dictionary)
    times = pyarrow.array(table.times, mask=table.times == UNKNOWN_TIME)
    columns = [table.users, table.items, event, weights, times]
    return pyarrow.table(dict(zip(TRAIN_SCHEMA.names, columns, strict=True)))


def write_train(folder: Path, table: pyarrow.Table, user_ids: IdMap, item_ids: IdMap) -> None:
    """`two_tower_train.parquet` in rows, and `two_tower_train.csv` with outside ids for people and other programs."""
    users, items = (pyarrow.array(ids.ids(), pyarrow.string()) for ids in (user_ids, item_ids))
    plain = pyarrow.csv.WriteOptions(quoting_style="none")  # the class of ids and event names needs no quotes
    with (
        pyarrow.parquet.ParquetWriter(folder / f"{TRAIN}.parquet", TRAIN_SCHEMA) as parquet,
        pyarrow.csv.CSVWriter(folder / f"{TRAIN}.csv", CSV_SCHEMA, write_options=plain) as csv,
    ):
        for start in range(0, table.num_rows, ROWS_AT_ONCE):
            some = table.slice(start, ROWS_AT_ONCE).cast(TRAIN_SCHEMA)
            parquet.write_table(some)
            ids = [users.take(some["user_index"]), items.take(some["item_index"])]
            csv.write_table(pyarrow.table([*ids, *some.columns[2:]], schema=CSV_SCHEMA))


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"
