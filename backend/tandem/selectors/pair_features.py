"""What pairs with a site's items are scored by: from declared fields to columns, and from columns into records."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from recommendation_service.core.numeric import AnyArray, Floats
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.domain.side import PairSide
from recommendation_service.errors import DatasetError


def plain_side(
    items: Sequence[Mapping[str, Any]], ids: Sequence[str], *, numbers: Sequence[str], text_columns: Sequence[str], place: str
) -> PairSide:
    """From what each item has under each column; None is unknown. Raises DatasetError, with item and column, for no number."""
    return PairSide(
        tuple(ids),
        {name: _numbers([one[name] for one in items], ids, f"{place}: '{name}'") for name in numbers},
        {
            name: np.array(["" if one[name] is None else str(one[name]) for one in items], dtype=np.str_)
            for name in text_columns
        },
    )


def with_side(records: Sequence[ItemRecord], side: PairSide | None, *, place: str) -> Iterator[ItemRecord]:
    """The records with their own row of the side; what is unknown of an item is left out.

    Raises DatasetError where the side is not of these items in this order, and for a number without end.
    """
    if side is None:
        yield from records
        return
    if side.ids != tuple(record.item_id for record in records):
        raise DatasetError(f"{place}: `side` must give the items it was asked for, in their order")
    for name, column in side.numbers.items():
        endless = np.flatnonzero(np.isinf(column))
        if endless.size:
            raise DatasetError(f"{place}: '{name}' of item '{side.ids[int(endless[0])]}' has no end; mend `side`")
    numbers = _rows({name: _short(column) for name, column in side.numbers.items()}, len(side))
    text_columns = _rows(side.text_columns, len(side))
    for record, own, told in zip(records, numbers, text_columns, strict=True):
        known = {name: value for name, value in own.items() if value == value}
        yield replace(record, numbers=known, text_columns={name: word for name, word in told.items() if word})


def _numbers(values: Sequence[Any], ids: Sequence[str], place: str) -> Floats:
    try:
        return np.array([np.nan if value is None else float(value) for value in values], dtype=np.float32)
    except (TypeError, ValueError):
        wrong = next(at for at, value in enumerate(values) if not _is_number(value))
        told = f"{place} of item '{ids[wrong]}' is {values[wrong]!r:.40}, which is no number"
        raise DatasetError(f"{told}; name a field of numbers in `numbers`, or put it in `text_columns`") from None


def _is_number(value: Any) -> bool:
    try:
        float(0 if value is None else value)
    except (TypeError, ValueError):
        return False
    return True


def _short(column: Floats) -> AnyArray:
    """The same float32 in as few digits as tell it from its neighbours: 23.1 and not 23.100000381469727."""
    return column.astype(np.float32).astype(np.str_).astype(np.float64)


def _rows(columns: Mapping[str, Any], n: int) -> Iterator[dict[str, Any]]:
    """One mapping a row; an empty one for each where there are no columns."""
    if not columns:
        return ({} for _ in range(n))
    names = list(columns)
    return (dict(zip(names, row, strict=True)) for row in zip(*(columns[name].tolist() for name in names), strict=True))
