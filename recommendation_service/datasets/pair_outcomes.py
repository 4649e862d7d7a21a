"""The offers between the two sides of pairs, with the columns known at the time and the outcome: models of pairs learn from it.

An export has them as `matches.npz` in the catalogue that `[pairs]` calls `right`. Every export writes the file completely,
so that erased users are removed at once. Arrays of one length n, oldest first:

    numbers        (n, c) float32 columns of both sides and of the pair at that time, NaN where unknown
    number_names   (c,) bytes
    text_<name>    (n,) bytes, b"" where unknown: one array per text column, left_owner and right_owner among them
    groups         (n,) int64, the same number for all offers of one job; below 0 for rows that are not offers
    times          (n,) float64 seconds: when the job was posted, or a recommendation shown
    ratings        (n,) float32 mark of the review scaled to 0 to 1, NaN where there is none
    chosen         (n,) bool, the offer was accepted
    decided        (n,) bool, the offers of the job were decided; only these rows show which offer was chosen
    verdicts       (n,) float32 feedback on a recommendation: 1 helpful, 0 other, NaN none
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.datasets.pair_features import PairTable
from recommendation_service.domain.side import Texts
from recommendation_service.errors import DatasetError
from recommendation_service.use_cases.schema import UseCase

MATCHES = "matches.npz"
BID = "bid"  # the column with the amount of the bid
KINDS = {"numbers": "f", "groups": "i", "times": "f", "ratings": "f", "chosen": "b", "decided": "b", "verdicts": "f"}
PER_ROW = ("groups", "times", "ratings", "chosen", "decided", "verdicts")
KNOWN = {"numbers", "number_names", *PER_ROW}


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """The table as arrays of one length."""

    names: tuple[str, ...]
    numbers: Floats  # (n, len(names))
    text_columns: Mapping[str, Texts]
    groups: Ints
    times: AnyArray  # float64
    ratings: Floats
    chosen: Bools
    decided: Bools
    verdicts: Floats

    def __post_init__(self) -> None:
        """Raises DatasetError, with the two numbers, when the arrays disagree."""
        sizes = {name: getattr(self, name).shape[0] for name in ("numbers", *PER_ROW)}
        sizes |= {f"text_{name}": column.shape[0] for name, column in self.text_columns.items()}
        wrong = next((name for name, size in sizes.items() if size != len(self)), None)
        if wrong is not None:
            raise DatasetError(f"matches: {wrong} holds {sizes[wrong]}, times hold {len(self)}; export again")
        if self.numbers.shape[1:] != (len(self.names),):
            raise DatasetError(f"matches: numbers are {self.numbers.shape}, names are {len(self.names)}; export again")
        self._check_values()

    def _check_values(self) -> None:
        for name, kind in KINDS.items():
            dtype = getattr(self, name).dtype
            if dtype.kind != kind:
                raise DatasetError(f"matches: {name} are {dtype}; export again")
        for name in ("numbers", "ratings", "verdicts"):
            if np.isinf(getattr(self, name)).any():
                raise DatasetError(f"matches: {name} hold a number without end; export again")
        if not np.isfinite(self.times).all():
            raise DatasetError("matches: a time is unknown; export again")

    def __len__(self) -> int:
        return int(self.times.shape[0])

    def counts(self) -> dict[str, int]:
        """Numbers of rows to learn from, for the summary of the export."""
        return {
            "matches": len(self),
            "decisions": int(np.unique(self.groups[self.decided]).size),
            "chosen": int(self.chosen.sum()),
            "rated": int((~np.isnan(self.ratings)).sum()),
            "verdicts": int((~np.isnan(self.verdicts)).sum()),
        }

    def pairs(self) -> PairTable:
        """The rows as a table of pairs, as `pair_features.join_pairs` returns it."""
        columns = {name: self.numbers[:, index] for index, name in enumerate(self.names)}
        return PairTable(len(self), columns, self.text_columns)

    def without(self, name: str, rows: Bools) -> "Matches":
        """A copy in which one column is unknown in the rows that are True."""
        numbers = self.numbers.copy()
        numbers[rows, self.names.index(name)] = np.nan
        return replace(self, numbers=numbers)

    def take(self, rows: Ints) -> "Matches":
        """These rows, in this order."""
        arrays = {name: getattr(self, name)[rows] for name in ("numbers", *PER_ROW)}
        return replace(self, text_columns={name: column[rows] for name, column in self.text_columns.items()}, **arrays)

    def arrays(self) -> dict[str, AnyArray]:
        """The arrays of `matches.npz`."""
        text_columns = {f"text_{name}": np.char.encode(column, "utf-8") for name, column in self.text_columns.items()}
        names = np.array([name.encode() for name in self.names], dtype=np.bytes_)
        return {
            "numbers": self.numbers,
            "number_names": names,
            **text_columns,
            **{name: getattr(self, name) for name in PER_ROW},
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> "Matches":
        """Read the arrays of `matches.npz`. Raises DatasetError for missing, unknown or disagreeing arrays."""
        unknown = next((name for name in arrays if name not in KNOWN and not name.startswith("text_")), None)
        if unknown is not None:
            raise DatasetError(f"matches: array {unknown} is not of this version's format; export again")
        try:
            text_columns = {
                name.removeprefix("text_"): np.char.decode(column, "utf-8")
                for name, column in arrays.items()
                if name.startswith("text_")
            }
            names = tuple(name.decode() for name in arrays["number_names"].tolist())
            rows = {name: arrays[name] for name in PER_ROW}
            return cls(names=names, numbers=arrays["numbers"], text_columns=text_columns, **rows)
        except KeyError as error:
            raise DatasetError(f"matches: {error.args[0]} is missing; export again") from error


def ordered(matches: Matches | None, use_case: UseCase) -> Matches | None:
    """Sort by time. Raises DatasetError if a column that `[pairs]` of the use case names is missing."""
    if matches is None or use_case.pairs is None:
        return None
    lacking = [feature.name for feature in use_case.pairs.features if feature.name not in matches.names]
    lacking += [
        name for name in (*use_case.pairs.embedding_columns, "left_owner", "right_owner") if name not in matches.text_columns
    ]
    if lacking:
        existing = ", ".join(sorted({*matches.names, *matches.text_columns}))
        fix = f"name one of {existing} in {use_case.name}.toml, or give it in the site's sides"
        raise DatasetError(f"matches: [pairs] reads '{lacking[0]}', which neither side has; {fix}")
    return matches.take(np.argsort(matches.times, kind="stable"))


def write_matches(folder: Path, matches: Matches) -> None:
    """Write `matches.npz`; equal tables give equal bytes."""
    arrays: dict[str, Any] = matches.arrays()
    np.savez(folder / MATCHES, **arrays)


def read_matches(folder: Path) -> Matches:
    """Read `matches.npz`. Raises DatasetError with the reason."""
    try:
        with (folder / MATCHES).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return Matches.from_arrays(arrays)
    except (OSError, ValueError, TypeError, BadZipFile) as error:
        raise DatasetError(f"matches: {MATCHES} cannot be read ({error}); export again") from error
