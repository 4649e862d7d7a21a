"""The export format and its reader: `data/<catalogue>/export_vN/`; `export.current` names the current version.

docs/reference/formats.md contains this text. The files of one version:

    export.json                counts, newest event, weights used, fingerprint, SHA-256 of each file
    catalogue.jsonl            one ItemRecord per line, ascending item ids (UTF-8 byte order), plus "popularity". Only where
                               pairs with the item are scored: "numbers" {column: number} and "text_columns" {column: text};
                               a missing column is unknown for that item
    item_ids.npy user_ids.npy  the ids as fixed-width bytes; the row number of an id is its index
    als_interactions.npz       (n_users, n_items) CSR float32 of weights after decay and cap; negative: dislikes
    als_user_mapping.json      {"id_to_index": {id: row}, "index_to_id": [id, ...]}; als_item_mapping.json is the same for items
    two_tower_train.parquet    one row per event, ascending time, equal times in the order of arrival: user_index,
                               item_index int32; event string; weight float32 before decay; timestamp float64 seconds, null
                               where it is unknown: these come first (and .csv with ids)
    profiles.jsonl             one JSON object per user row ({} when nothing is known): {"skills": ["python"]}
    profile_offsets.npy        (n_users + 1,) int64 byte offsets of those lines
    history_indptr.npy         (n_users + 1,) int64, the bounds of each user's events in the next four files. Events are
                               newest first, at most 5,000 per user:
    history_items.npy          int32 item rows; history_events.npy uint8 indices into "event_names" of export.json
    history_times.npy          float64 seconds, -inf where unknown: these come last; history_values.npy float32, NaN where
                               an event has none
    shown.npz                  the newest shown lists, oldest first, and their outcomes; absent where lists are not recorded.
                               Per list: list_users int32 rows (-1: anonymous or unknown), list_times float64 seconds,
                               list_surfaces and list_methods int16 indices into surface_names and method_names. The items
                               of list l are at indptr[l] to indptr[l + 1] of the next arrays: items int32 rows, positions
                               int16 (1 is the top), scores float32, labels float32 weight of the best event that answers
                               the list with the item (0: no event; below 0: only dislikes), parts_end int64 ends in parts,
                               bytes of JSON objects {part of the score: number} ({}: not recorded). Needs no pyarrow
    matches.npz                every offer between the two sides of a pair, with the columns known at the time and the
                               outcome. Only for the catalogue that [pairs] calls right; every export writes it completely,
                               also an export of one part. Arrays of one length n, oldest first: numbers (n, c) float32,
                               NaN where unknown, with names number_names (c) bytes; text_<name> bytes per text column, b""
                               where unknown, left_owner and right_owner among them; groups int64, the same number for
                               offers that were decided together; times float64 seconds of the time at which the columns
                               were known; ratings float32 0 to 1, NaN where there is none; chosen and decided bool;
                               verdicts float32 1 helpful, 0 other, NaN none. Needs no pyarrow
"""

import json
import math
import mmap
import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.datasets.impressions import SHOWN, Shown, read_shown
from recommendation_service.datasets.pair_features import side_of
from recommendation_service.datasets.pair_outcomes import MATCHES, Matches, read_matches
from recommendation_service.datasets.records import FORMAT, ItemRecord
from recommendation_service.domain.catalogue import Catalogue, FacetBuilder
from recommendation_service.domain.history import UNKNOWN_TIME, PastEvent
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.query import Profile
from recommendation_service.domain.side import PairSide
from recommendation_service.errors import DatasetError
from recommendation_service.publishing.versions import VersionedFolder, sha256_of

SUMMARY = "export.json"
NEEDED = frozenset(
    {"catalogue.jsonl", "item_ids.npy", "user_ids.npy", "profiles.jsonl", "profile_offsets.npy"}
    | {f"history_{part}.npy" for part in ("indptr", "items", "events", "times", "values")}
)  # what serving reads
FILE_NAME = re.compile(r"\w+\.\w+", re.ASCII)
PAIR_KEYS = ("numbers", "text_columns", "words")  # of a line of catalogue.jsonl; the last one is refused
NO_COLUMNS: Mapping[str, Any] = {}  # of every item without them
RUN_AGAIN = "run: manage.py generate_all_datasets"


def export_folder(data_dir: Path, catalogue: str) -> VersionedFolder:
    """All exports of one catalogue."""
    return VersionedFolder(data_dir / catalogue, "export")


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Every exported interaction, ascending in time, unknown times first, as arrays of one length."""

    users: Ints
    items: Ints
    weights: Floats  # before decay and cap
    times: AnyArray  # float64 seconds since 1970-01-01 UTC, UNKNOWN_TIME where it is unknown
    kinds: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))  # indices into `names`; empty: unknown
    names: tuple[str, ...] = ()

    def of_kinds(self, wanted: Collection[str]) -> Bools:
        """(k,), True for events of those names."""
        chosen = np.array([name in wanted for name in self.names], dtype=np.bool_)
        return np.asarray(chosen[self.kinds], dtype=np.bool_)


class Dataset:
    """One published export, read lazily; arrays are memory-mapped."""

    def __init__(self, folder: Path, summary: Mapping[str, Any]) -> None:
        self.folder = folder
        self.summary = summary
        self._arrays: dict[str, AnyArray] = {}

    @classmethod
    def open(cls, data_dir: Path, catalogue: str, *, verify: bool = True) -> "Dataset":
        """Open the current export of a catalogue. Raises DatasetError with the fix."""
        versions = export_folder(data_dir, catalogue)
        pointer = versions.pointer()
        if pointer is None:
            raise DatasetError(f"{catalogue}: no export in {data_dir.name}/{catalogue}; {RUN_AGAIN}")
        return cls.read(versions.path(pointer.version), seal=pointer.seal, verify=verify)

    @classmethod
    def read(cls, folder: Path, *, seal: str | None, verify: bool = True) -> "Dataset":
        """Open one version of an export. Without `seal`, the summary itself is not verified. Raises DatasetError."""
        where = f"{folder.parent.name}/{folder.name}"
        try:
            raw = (folder / SUMMARY).read_bytes()
            summary = json.loads(raw)
            if summary["format"] > FORMAT:
                raise DatasetError(f"{where}: format {summary['format']} is newer than this program's {FORMAT}; upgrade it")
            if verify:
                cls._verify(folder, raw, summary["files"], seal)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DatasetError(f"{where}: cannot be read ({error}); {RUN_AGAIN}") from error
        return cls(folder, summary)

    @staticmethod
    def _verify(folder: Path, raw: bytes, files: Mapping[str, str], seal: str | None) -> None:
        if seal is not None and sha256(raw).hexdigest() != seal:
            raise DatasetError(f"{folder.name}: {SUMMARY} was changed after it was written; {RUN_AGAIN}")
        missing = sorted(NEEDED - set(files))
        if missing:
            raise DatasetError(f"{folder.name}: {SUMMARY} does not list {', '.join(missing)}; {RUN_AGAIN}")
        for name, digest in files.items():
            path = folder / name
            if not FILE_NAME.fullmatch(name) or path.is_symlink():
                raise DatasetError(f"{folder.name}: {name!r} is not a file name this program writes")
            if sha256_of(path) != digest:
                raise DatasetError(f"{folder.name}: {name} was damaged after it was written; {RUN_AGAIN}")

    @property
    def version(self) -> str:
        """Such as "export_v3"."""
        return self.folder.name

    @property
    def fingerprint(self) -> str:
        """SHA-256 over what was exported: equal data in one order of arrival, equal fingerprint, whatever the day."""
        return str(self.summary["fingerprint"])

    @cached_property
    def user_ids(self) -> IdMap:
        """Users with an event or a profile."""
        return IdMap(self.array("user_ids"))

    @cached_property
    def item_ids(self) -> IdMap:
        """Items of the catalogue."""
        return IdMap(self.array("item_ids"))

    def array(self, name: str) -> AnyArray:
        """One of the `.npy` files, memory-mapped read-only."""
        if name not in self._arrays:
            mapped = np.load(self.folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            self._arrays[name] = np.asarray(mapped)  # the same memory; each slice of a memmap object costs microseconds
        return self._arrays[name]

    def records(self) -> Iterator[ItemRecord]:
        """The items in row order."""
        for line in self._item_lines():
            line.pop("popularity")
            tags, attributes = tuple(line.pop("tags")), {k: tuple(v) for k, v in line.pop("attributes").items()}
            yield ItemRecord(**line, tags=tags, attributes=attributes)

    def catalogue(self) -> Catalogue:
        """The items as arrays, ready to be served."""
        titles, popularity, created, available = list[str](), list[float](), list[float](), bytearray()
        category, tags, attributes = FacetBuilder(), FacetBuilder(), defaultdict[str, FacetBuilder](FacetBuilder)
        paired = list[Mapping[str, Any]]()
        for row, line in enumerate(self._item_lines()):  # one line at a time: all of them take a kilobyte per item
            titles.append(line["title"])
            popularity.append(line["popularity"])
            created.append(np.nan if line["created_at"] is None else line["created_at"] / 86_400)
            available.append(bool(line.get("available", True)))
            category.add(row, [line["category"]] if line["category"] else [])
            tags.add(row, line["tags"])
            for name, values in line["attributes"].items():
                attributes[name].add(row, values)
            columns = {name: line[name] for name in PAIR_KEYS if name in line}
            paired.append({"item_id": line["item_id"], **columns} if columns else NO_COLUMNS)
        n_items = len(titles)
        facets = {"category": category, "tags": tags, **{name: attributes[name] for name in sorted(attributes)}}
        return Catalogue(
            name=self.summary["catalogue"],
            ids=self.item_ids,
            titles=tuple(titles),
            popularity=np.array(popularity, dtype=np.float32),
            created=np.array(created, dtype=np.float32),
            facets={name: builder.facet(n_items) for name, builder in facets.items()},
            available=np.frombuffer(bytes(available), dtype=np.bool_),
            side=self._side(paired),
        )

    def _side(self, lines: list[Mapping[str, Any]]) -> PairSide | None:
        """The columns of the items; `lines` are NO_COLUMNS for items without any."""
        if all(line is NO_COLUMNS for line in lines):
            return None
        ids = zip(self.item_ids.ids(), lines, strict=True)
        return side_of([line if line is not NO_COLUMNS else {"item_id": item_id} for item_id, line in ids])

    def interactions(self) -> sparse.csr_array:
        """(n_users, n_items) float32 weights after decay and cap; negative entries are dislikes."""
        return sparse.csr_array(sparse.load_npz(self.folder / "als_interactions.npz"))

    def events(self) -> Events:
        """All interactions in time order; needs pyarrow, so for training only."""
        import pyarrow.parquet  # heavy package of the train extra; serving does not import it

        columns = ["user_index", "item_index", "weight", "timestamp"]
        table = pyarrow.parquet.read_table(self.folder / "two_tower_train.parquet", columns=[*columns, "event"])
        users, items, weights, times = (table.column(name).to_numpy() for name in columns)
        times = np.where(np.isnan(times), UNKNOWN_TIME, times)  # a null
        event = table.column("event").combine_chunks().dictionary_encode()
        names, kinds = tuple(event.dictionary.to_pylist()), event.indices.to_numpy().astype(np.int64)
        return Events(users.astype(np.int64), items.astype(np.int64), weights, times, kinds, names)

    def shown(self) -> Shown | None:
        """The shown lists, or None in an export without them, such as one of an older version."""
        return read_shown(self.folder) if SHOWN in self.summary["files"] else None

    def matches(self) -> Matches | None:
        """The pairs that models learn from, or None in an export without them. Raises DatasetError if arrays disagree."""
        return read_matches(self.folder) if MATCHES in self.summary["files"] else None

    def past_events(self, user_id: str) -> tuple[PastEvent, ...]:
        """One user's exported events, newest first, at most 5,000; empty for an unknown user."""
        row = self.user_ids.row(user_id)
        if row is None:
            return ()
        start, stop = self.array("history_indptr")[row : row + 2].tolist()
        items, *others = (self.array(f"history_{name}")[start:stop] for name in ("items", "events", "times", "values"))
        columns = (self.item_ids.ids_at(items), *(other.tolist() for other in others))
        names = self.summary["event_names"]
        return tuple(
            PastEvent(item_id, names[event], time, None if math.isnan(value) else value)
            for item_id, event, time, value in zip(*columns, strict=True)
        )

    def profile(self, user_id: str) -> Profile:
        """The profile of one user; empty for an unknown user."""
        row = self.user_ids.row(user_id)
        if row is None:
            return {}
        start, stop = self.array("profile_offsets")[row : row + 2].tolist()
        return {name: tuple(values) for name, values in json.loads(self._profile_lines[start:stop]).items()}

    def profiles(self) -> Iterator[Profile]:
        """Every user's profile in row order."""
        with (self.folder / "profiles.jsonl").open(encoding="utf-8") as file:
            for line in file:
                yield {name: tuple(values) for name, values in json.loads(line).items()}

    @cached_property
    def _profile_lines(self) -> "mmap.mmap | bytes":
        """The bytes of profiles.jsonl, memory-mapped: a request opens no file."""
        with (self.folder / "profiles.jsonl").open("rb") as file:
            empty = not os.fstat(file.fileno()).st_size  # cannot be mapped
            return b"" if empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def _item_lines(self) -> Iterator[dict[str, Any]]:
        with (self.folder / "catalogue.jsonl").open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)


def open_for_serving(folder: Path, *, seal: str | None) -> tuple[Dataset, Catalogue]:
    """Open a verified export and its catalogue, with everything checked that a request may read.

    Raises DatasetError, with the numbers that disagree.
    """
    dataset = Dataset.read(folder, seal=seal)
    try:
        catalogue = dataset.catalogue()
        _check_sizes(dataset, catalogue)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DatasetError(f"{folder.name}: cannot be served ({error!r}); {RUN_AGAIN}") from error
    return dataset, catalogue


def _check_sizes(dataset: Dataset, catalogue: Catalogue) -> None:
    name, n_items, users = dataset.folder.name, len(catalogue), len(dataset.user_ids) + 1
    indptr, offsets = dataset.array("history_indptr"), dataset.array("profile_offsets")
    columns = {column: dataset.array(f"history_{column}") for column in ("items", "events", "times", "values")}
    profile_bytes = (dataset.folder / "profiles.jsonl").stat().st_size
    for left, size, right, wanted in (
        ("catalogue.jsonl lines", len(catalogue.titles), "item_ids", n_items),
        ("history_indptr", indptr.size, "user_ids + 1", users),
        ("profile_offsets", offsets.size, "user_ids + 1", users),
        ("profile_offsets end", int(offsets[-1]), "bytes of profiles.jsonl", profile_bytes),
        *((f"history_{column}", part.size, "events of history_indptr", int(indptr[-1])) for column, part in columns.items()),
    ):
        if size != wanted:
            raise DatasetError(f"{name}: {left} has {size}, {right} {wanted}; {RUN_AGAIN}")
    if not np.isfinite(catalogue.popularity).all():
        raise DatasetError(f"{name}: catalogue.jsonl holds a popularity that is no number; {RUN_AGAIN}")
    if any(starts[0] != 0 or (np.diff(starts) < 0).any() for starts in (indptr, offsets)):
        raise DatasetError(f"{name}: offsets of users must ascend from 0; {RUN_AGAIN}")
    for column, limit in (("items", n_items), ("events", len(dataset.summary["event_names"]))):
        part = columns[column]
        if part.size and not 0 <= int(part.min()) <= int(part.max()) < limit:
            raise DatasetError(f"{name}: history_{column} reaches {part.max()}, there are {limit}; {RUN_AGAIN}")
