"""Every offer that one side made the other, with what was known at the time and what came of it: what pairs are learned from.

Part of an export: `matches.npz` of the catalogue that the pairing calls `second`. Of one length n, oldest job first:

    numbers        (n, c) float32 columns of both sides as of the moment the job was posted, NaN where unknown
    number_names   (c,) bytes
    word_<name>    (n,) bytes, b"" where unknown: one array a word column, first_person and second_person among them
    groups         (n,) int64 the offers of one job have the same number
    times          (n,) float64 seconds when the job was posted
    ratings        (n,) float32 mark of the review scaled to 0 to 1, NaN where there is none
    chosen         (n,) bool the offer that was accepted
    decided        (n,) bool the job's offers were decided on; only these say who was chosen
    verdicts       (n,) float32 what was said of a recommendation: 1 helpful, 0 anything else, NaN nothing
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from recommendation_service.datasets.pairing import Pairs
from recommendation_service.domain.side import Words
from recommendation_service.errors import DatasetError
from recommendation_service.numeric import AnyArray, Bools, Floats, Ints

FILE = "matches"
BID = "bid"  # the column that holds what was asked
PER_ROW = ("groups", "times", "ratings", "chosen", "decided", "verdicts")


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """The table as arrays of one length."""

    names: tuple[str, ...]
    numbers: Floats  # (n, len(names))
    words: Mapping[str, Words]
    groups: Ints
    times: AnyArray  # float64
    ratings: Floats
    chosen: Bools
    decided: Bools
    verdicts: Floats

    def __post_init__(self) -> None:
        """Raises DatasetError, with the two numbers, when the arrays disagree."""
        sizes = {name: getattr(self, name).shape[0] for name in ("numbers", *PER_ROW)}
        sizes |= {f"word_{name}": column.shape[0] for name, column in self.words.items()}
        wrong = next((name for name, size in sizes.items() if size != len(self)), None)
        if wrong is not None:
            raise DatasetError(f"matches: {wrong} holds {sizes[wrong]}, times hold {len(self)}; export again")
        if self.numbers.shape[1:] != (len(self.names),):
            raise DatasetError(f"matches: numbers are {self.numbers.shape}, names are {len(self.names)}; export again")

    def __len__(self) -> int:
        return int(self.times.shape[0])

    def pairs(self) -> Pairs:
        """The same as pairs, as `pairing.meet` would give them."""
        columns = {name: self.numbers[:, place] for place, name in enumerate(self.names)}
        return Pairs(len(self), columns, self.words)

    def without(self, name: str, rows: Bools) -> "Matches":
        """With one column unknown in the rows that are True."""
        numbers = self.numbers.copy()
        numbers[rows, self.names.index(name)] = np.nan
        return replace(self, numbers=numbers)

    def take(self, rows: Ints) -> "Matches":
        """These rows, in this order."""
        kept = {name: getattr(self, name)[rows] for name in ("numbers", *PER_ROW)}
        return replace(self, words={name: column[rows] for name, column in self.words.items()}, **kept)

    def arrays(self) -> dict[str, AnyArray]:
        """As they are written."""
        words = {f"word_{name}": np.char.encode(column, "utf-8") for name, column in self.words.items()}
        names = np.array([name.encode() for name in self.names], dtype=np.bytes_)
        return {"numbers": self.numbers, "number_names": names, **words, **{name: getattr(self, name) for name in PER_ROW}}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> "Matches":
        """As they were written. Raises DatasetError for arrays that are missing or disagree."""
        try:
            words = {
                name.removeprefix("word_"): np.char.decode(column, "utf-8")
                for name, column in arrays.items()
                if name.startswith("word_")
            }
            names = tuple(name.decode() for name in arrays["number_names"].tolist())
            rows = {name: arrays[name] for name in PER_ROW}
            return cls(names=names, numbers=arrays["numbers"], words=words, **rows)
        except KeyError as error:
            raise DatasetError(f"matches: {error.args[0]} is missing; export again") from error
