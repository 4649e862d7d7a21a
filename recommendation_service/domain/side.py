"""Things that meet other things: the jobs and the cleaners of a marketplace, as columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from recommendation_service.core.numeric import AnyArray, Floats, Ints

Texts = AnyArray  # (n,) of str, "" where unknown

ID_COLUMN = "id"


@dataclass(frozen=True, slots=True)
class PairItem:
    """One thing of one kind, as somebody who asks describes it."""

    id: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    text_columns: Mapping[str, str] = field(default_factory=dict)
    title: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class PairSide:
    """`n` things of one kind, each with what is known of it at one moment."""

    ids: tuple[str, ...]
    numbers: Mapping[str, Floats] = field(default_factory=dict)  # (n,) float32, NaN where unknown
    text_columns: Mapping[str, Texts] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(
        cls, ids: Sequence[str], numbers: Sequence[Mapping[str, float]] = (), text_columns: Sequence[Mapping[str, str]] = ()
    ) -> "PairSide":
        """From one mapping a thing; a name that a thing lacks is unknown of it."""
        return cls(tuple(ids), _columns(numbers, float("nan"), np.float32), _columns(text_columns, "", np.str_))

    def take(self, rows: Ints) -> "PairSide":
        """These of them, in this order."""
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
