"""One side of a set of pairs, such as the jobs or the cleaners of a marketplace, as columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from recommendation_service.core.numeric import AnyArray, Floats, Ints

Texts = AnyArray  # (n,) of str, "" where unknown

ID_COLUMN = "id"


@dataclass(frozen=True, slots=True, eq=False)
class PairSide:
    """The known columns of `n` items or contexts at one moment."""

    ids: tuple[str, ...]
    numbers: Mapping[str, Floats] = field(default_factory=dict)  # (n,) float32, NaN where unknown
    text_columns: Mapping[str, Texts] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(
        cls, ids: Sequence[str], numbers: Sequence[Mapping[str, float]] = (), text_columns: Sequence[Mapping[str, str]] = ()
    ) -> "PairSide":
        """Return the columns of items with one mapping per item; a name that a mapping lacks is unknown."""
        return cls(tuple(ids), _columns(numbers, float("nan"), np.float32), _columns(text_columns, "", np.str_))

    def take(self, rows: Ints) -> "PairSide":
        """Return the items at `rows`, in that order."""
        return PairSide(
            tuple(self.ids[row] for row in rows.tolist()),
            {name: column[rows] for name, column in self.numbers.items()},
            {name: column[rows] for name, column in self.text_columns.items()},
        )


def _columns(
    entries: Sequence[Mapping[str, float]] | Sequence[Mapping[str, str]], unknown: object, kind: type
) -> dict[str, AnyArray]:
    names = dict.fromkeys(name for entry in entries for name in entry)
    return {name: np.array([entry.get(name, unknown) for entry in entries], dtype=kind) for name in names}
