"""The export format, read side: `data/<catalogue>/export_vN/`, found through `export.current`.

docs/reference/formats.md is the prose of this. Files of one version:

    export.json                counts, newest event, weights used, fingerprint, SHA-256 per file
    catalogue.jsonl            one ItemRecord per line, ascending item ids (UTF-8 byte order), plus "popularity"; only where
                               pairs with the item are scored, "numbers" {column: number} and "text_columns" {column: text}: a
                               column that is absent is unknown of that item
    item_ids.npy user_ids.npy  those ids as fixed-width bytes; a row number is a place in them
    als_interactions.npz       (n_users, n_items) CSR float32 of weights after decay and cap; negative: dislikes
    als_user_mapping.json      {"id_to_index": {id: row}, "index_to_id": [id, ...]}, and als_item_mapping.json alike
    two_tower_train.parquet    one row an event, ascending time: user_index, item_index int32; event string;
                               weight float32 before decay; timestamp float64 seconds (and .csv with ids)
    profiles.jsonl             one JSON object per user row ({} when nothing is known): {"skills": ["python"]}
    profile_offsets.npy        (n_users + 1,) int64 byte offsets of those lines
    history_indptr.npy         (n_users + 1,) int64; then per event, newest first, at most 5,000 a user:
    history_items.npy          int32 item rows · history_events.npy uint8 places in export.json "event_names"
    history_times.npy          float64 seconds · history_values.npy float32, NaN where an event has none
    shown.npz                  the newest lists that were shown, oldest first, and what came of them; absent where lists
                               are not recorded. A list each: list_users int32 rows (-1: anonymous, or unknown),
                               list_times float64 seconds, list_surfaces and list_methods int16 places in surface_names
                               and method_names; list l owns the places indptr[l] to indptr[l + 1] of what follows, one
                               a shown item: items int32 rows, positions int16 (1 is the top), scores float32, labels
                               float32 weight of the best event that answers the list with the item (0: nothing
                               happened; below 0: only dislikes), parts_end int64 ends in parts, bytes of JSON objects
                               {part of the score: number} ({}: not recorded). Needs no pyarrow
    matches.npz                every offer that one side of a pair made the other, with what was known at the time and
                               what came of it; only of the catalogue that [pairs] calls right, made
                               anew by every export, of one part too. Of one length n, oldest first: numbers (n, c)
                               float32, NaN where unknown, their names number_names (c) bytes; a text_<name> a text
                               column, bytes, b"" where unknown, left_owner and right_owner among them; groups int64,
                               one number for what was decided together; times float64 seconds of what is known; ratings
                               float32 0 to 1, NaN where there is none; chosen and decided bool; verdicts float32 1
                               helpful, 0 anything else, NaN nothing. Needs no pyarrow
"""

import json
import re
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
from recommendation_service.datasets.pair_outcomes import MATCHES, Matches, read_matches
from recommendation_service.datasets.pair_sides import side_of
from recommendation_service.datasets.records import FORMAT, ItemRecord
from recommendation_service.domain.catalogue import Catalogue, Facet
from recommendation_service.domain.history import PastEvent
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.query import Profile
from recommendation_service.errors import DatasetError
from recommendation_service.publishing.versions import VersionedFolder, sha256_of

SUMMARY = "export.json"
NEEDED = frozenset(
    {"catalogue.jsonl", "item_ids.npy", "user_ids.npy", "profiles.jsonl", "profile_offsets.npy"}
    | {f"history_{part}.npy" for part in ("indptr", "items", "events", "times", "values")}
)  # what serving reads
FILE_NAME = re.compile(r"\w+\.\w+", re.ASCII)
RUN_AGAIN = "run: manage.py generate_all_datasets"


def export_folder(data_dir: Path, catalogue: str) -> VersionedFolder:
    """All exports of one catalogue."""
    return VersionedFolder(data_dir / catalogue, "export")


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Every exported interaction, ascending in time, as arrays of one length."""

    users: Ints
    items: Ints
    weights: Floats  # before decay and cap
    times: AnyArray  # float64 seconds since 1970-01-01 UTC
    kinds: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))  # places in `names`; empty: not told
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

    @classmethod
    def open(cls, data_dir: Path, catalogue: str, *, verify: bool = True) -> "Dataset":
        """The current export of a catalogue; raises DatasetError that tells the fix."""
        place = export_folder(data_dir, catalogue)
        pointer = place.pointer()
        if pointer is None:
            raise DatasetError(f"{catalogue}: no export in {data_dir.name}/{catalogue}; {RUN_AGAIN}")
        return cls.read(place.path(pointer.version), seal=pointer.seal, verify=verify)

    @classmethod
    def read(cls, folder: Path, *, seal: str | None, verify: bool = True) -> "Dataset":
        """One version of an export; `seal` None: only what it says of itself is verified. Raises DatasetError."""
        place = f"{folder.parent.name}/{folder.name}"
        try:
            raw = (folder / SUMMARY).read_bytes()
            summary = json.loads(raw)
            if summary["format"] > FORMAT:
                raise DatasetError(f"{place}: format {summary['format']} is newer than this program's {FORMAT}; upgrade it")
            if verify:
                cls._verify(folder, raw, summary["files"], seal)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DatasetError(f"{place}: cannot be read ({error}); {RUN_AGAIN}") from error
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
        """SHA-256 over what was exported: equal data, equal fingerprint, whatever the day."""
        return str(self.summary["fingerprint"])

    @cached_property
    def user_ids(self) -> IdMap:
        """Users with an event or a profile."""
        return IdMap(self.array("user_ids"))

    def array(self, name: str) -> AnyArray:
        """One of the `.npy` files, memory-mapped read-only."""
        mapped: AnyArray = np.load(self.folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        return mapped

    def records(self) -> Iterator[ItemRecord]:
        """The items in row order."""
        for line in self._item_lines():
            line.pop("popularity")
            tags, attributes = tuple(line.pop("tags")), {k: tuple(v) for k, v in line.pop("attributes").items()}
            yield ItemRecord(**line, tags=tags, attributes=attributes)

    def catalogue(self) -> Catalogue:
        """The items as arrays, ready to be served."""
        lines = list(self._item_lines())
        facets = {"category": Facet.build([[line["category"]] if line["category"] else [] for line in lines])}
        facets["tags"] = Facet.build([line["tags"] for line in lines])
        for name in sorted({key for line in lines for key in line["attributes"]}):
            facets[name] = Facet.build([line["attributes"].get(name, ()) for line in lines])
        created = [np.nan if line["created_at"] is None else line["created_at"] / 86_400 for line in lines]
        return Catalogue(
            name=self.summary["catalogue"],
            ids=IdMap(self.array("item_ids")),
            titles=tuple(line["title"] for line in lines),
            popularity=np.array([line["popularity"] for line in lines], dtype=np.float32),
            created=np.array(created, dtype=np.float32),
            facets=facets,
            available=np.array([line.get("available", True) for line in lines], dtype=np.bool_),
            side=side_of(lines),
        )

    def interactions(self) -> sparse.csr_array:
        """(n_users, n_items) float32 weights after decay and cap; negative entries are dislikes."""
        return sparse.csr_array(sparse.load_npz(self.folder / "als_interactions.npz"))

    def events(self) -> Events:
        """All interactions in time order; needs pyarrow, so for training only."""
        import pyarrow.parquet  # heavy optional package of the train extra; serving never comes here

        columns = ["user_index", "item_index", "weight", "timestamp"]
        table = pyarrow.parquet.read_table(self.folder / "two_tower_train.parquet", columns=[*columns, "event"])
        users, items, weights, times = (table.column(name).to_numpy() for name in columns)
        told = table.column("event").combine_chunks().dictionary_encode()
        names, kinds = tuple(told.dictionary.to_pylist()), told.indices.to_numpy().astype(np.int64)
        return Events(users.astype(np.int64), items.astype(np.int64), weights, times, kinds, names)

    def shown(self) -> Shown | None:
        """The lists that were shown; None in an export without them, such as one written by an older program."""
        return read_shown(self.folder) if SHOWN in self.summary["files"] else None

    def matches(self) -> Matches | None:
        """What pairs are learned from; None in an export without it. Raises DatasetError when its arrays disagree."""
        return read_matches(self.folder) if MATCHES in self.summary["files"] else None

    def past_events(self, user_id: str) -> tuple[PastEvent, ...]:
        """One user's exported events, newest first, at most 5,000; empty for an unknown user."""
        row = self.user_ids.row(user_id)
        if row is None:
            return ()
        items, events, times, values = self._history
        start, stop = (int(place) for place in self._indptr[row : row + 2])
        ids, names = self._item_ids, self.summary["event_names"]
        return tuple(
            PastEvent(ids.id(int(items[at])), names[int(events[at])], float(times[at]), _known(float(values[at])))
            for at in range(start, stop)
        )

    def profile(self, user_id: str) -> Profile:
        """What the site knows of one user; empty when that is nothing."""
        row = self.user_ids.row(user_id)
        if row is None:
            return {}
        start, stop = (int(place) for place in self._profile_offsets[row : row + 2])
        with (self.folder / "profiles.jsonl").open("rb") as file:
            file.seek(start)
            return {name: tuple(values) for name, values in json.loads(file.read(stop - start)).items()}

    def profiles(self) -> Iterator[Profile]:
        """Every user's profile in row order."""
        with (self.folder / "profiles.jsonl").open(encoding="utf-8") as file:
            for line in file:
                yield {name: tuple(values) for name, values in json.loads(line).items()}

    @cached_property
    def _item_ids(self) -> IdMap:
        return IdMap(self.array("item_ids"))

    @cached_property
    def _indptr(self) -> AnyArray:
        return self.array("history_indptr")

    @cached_property
    def _profile_offsets(self) -> AnyArray:
        return self.array("profile_offsets")

    @cached_property
    def _history(self) -> tuple[AnyArray, ...]:
        return tuple(self.array(f"history_{name}") for name in ("items", "events", "times", "values"))

    def _item_lines(self) -> Iterator[dict[str, Any]]:
        with (self.folder / "catalogue.jsonl").open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
