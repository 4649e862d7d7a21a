"""Outside ids <-> rows, both ways, over one sorted array that can stay memory-mapped."""

from collections.abc import Iterable, Sequence

import numpy as np

from recommendation_service.core.numeric import Bytes, Ints
from recommendation_service.errors import DatasetError


class IdMap:
    """An immutable numbering of outside ids: an id's row is its place in the sorted order.

    The ids are kept as one fixed-width array of UTF-8 bytes, so a lookup is a binary search (microseconds) and loading
    costs nothing, however many there are. Byte order of UTF-8 is code-point order, which is how Python sorts text.
    Arrays of bytes drop NULs at the end; `clean_id` lets no NUL in.
    """

    __slots__ = ("_ids",)

    def __init__(self, sorted_ids: Bytes) -> None:
        """Wrap (n,) unique ascending UTF-8 ids; raises DatasetError naming the first pair that is out of order."""
        if sorted_ids.ndim != 1 or sorted_ids.dtype.kind != "S":
            raise DatasetError(f"ids must be one row of bytes, not {sorted_ids.dtype} of shape {sorted_ids.shape}")
        wrong = np.flatnonzero(sorted_ids[1:] <= sorted_ids[:-1])
        if wrong.size:
            first = int(wrong[0])
            pair = f"{sorted_ids[first]!r}, {sorted_ids[first + 1]!r}"
            raise DatasetError(f"ids must be unique and ascending; at row {first} stands {pair}")
        self._ids = sorted_ids

    @classmethod
    def of(cls, ids: Iterable[str]) -> "IdMap":
        """Number any collection of ids; repeats count once."""
        encoded = sorted({item_id.encode() for item_id in ids})
        return cls(np.array(encoded, dtype=np.bytes_) if encoded else np.empty(0, dtype="S1"))

    def __len__(self) -> int:
        return int(self._ids.size)

    def __contains__(self, outside_id: object) -> bool:
        return isinstance(outside_id, str) and self.row(outside_id) is not None

    @property
    def array(self) -> Bytes:
        """The sorted ids as stored, (n,) bytes."""
        return self._ids

    def row(self, outside_id: str) -> int | None:
        """The row of one id, or None when it is unknown."""
        wanted = outside_id.encode()
        index = int(np.searchsorted(self._ids, np.bytes_(wanted)))
        return index if index < self._ids.size and bytes(self._ids[index]) == wanted else None

    def rows(self, outside_ids: Sequence[str]) -> Ints:
        """The rows of many ids, (k,), in their order; -1 where unknown. Never index with it before masking."""
        if not outside_ids or not len(self):
            return np.full(len(outside_ids), -1, dtype=np.int64)
        return self.rows_of_bytes(np.array([item_id.encode() for item_id in outside_ids], dtype=np.bytes_))

    def rows_of_bytes(self, wanted: Bytes) -> Ints:
        """As `rows`, for ids already in an array of bytes."""
        if not len(self):
            return np.full(wanted.size, -1, dtype=np.int64)
        indices = np.minimum(np.searchsorted(self._ids, wanted), len(self) - 1)
        return np.where(self._ids[indices] == wanted, indices, -1).astype(np.int64)

    def id(self, row: int) -> str:
        """The id at `row`; a negative row is an IndexError, never the last id."""
        if row < 0:
            raise IndexError(f"row {row} is negative")
        return bytes(self._ids[row]).decode()

    def ids(self) -> list[str]:
        """All ids in row order."""
        return [item_id.decode() for item_id in self._ids.tolist()]
