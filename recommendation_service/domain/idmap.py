"""Maps external ids to rows and back, over one sorted array that can stay memory-mapped."""

from collections.abc import Iterable, Sequence

import numpy as np

from recommendation_service.core.numeric import Bytes, Ints
from recommendation_service.errors import DatasetError


class IdMap:
    """An immutable numbering of external ids: the row of an id is its index in the sorted order.

    The ids are one fixed-width array of UTF-8 bytes, so a lookup is a binary search (microseconds) and loading takes no
    time, whatever the number of ids. The byte order of UTF-8 is the code-point order, in which Python sorts text. Arrays of
    bytes drop trailing NULs; `clean_id` refuses them.
    """

    __slots__ = ("_ids",)

    def __init__(self, sorted_ids: Bytes) -> None:
        """`sorted_ids` is (n,) unique ascending UTF-8 ids. Raises DatasetError, which names the first wrong pair."""
        if sorted_ids.ndim != 1 or sorted_ids.dtype.kind != "S":
            raise DatasetError(f"ids must be an (n,) array of bytes, not {sorted_ids.dtype} of shape {sorted_ids.shape}")
        wrong = np.flatnonzero(sorted_ids[1:] <= sorted_ids[:-1])
        if wrong.size:
            first = int(wrong[0])
            pair = f"{sorted_ids[first]!r}, {sorted_ids[first + 1]!r}"
            raise DatasetError(f"ids must be unique and ascending; rows {first} and {first + 1} are {pair}")
        self._ids = sorted_ids

    @classmethod
    def of(cls, ids: Iterable[str]) -> "IdMap":
        """Return the map of any collection of ids; repeats count once."""
        encoded = sorted({item_id.encode() for item_id in ids})
        return cls(np.array(encoded, dtype=np.bytes_) if encoded else np.empty(0, dtype="S1"))

    def __len__(self) -> int:
        return int(self._ids.size)

    def __contains__(self, external_id: object) -> bool:
        return isinstance(external_id, str) and self.row(external_id) is not None

    @property
    def array(self) -> Bytes:
        """The sorted ids as stored, (n,) bytes."""
        return self._ids

    def row(self, external_id: str) -> int | None:
        """Return the row of one id, or None if it is unknown."""
        wanted = external_id.encode()
        index = int(np.searchsorted(self._ids, np.bytes_(wanted)))
        return index if index < self._ids.size and bytes(self._ids[index]) == wanted else None

    def rows(self, external_ids: Sequence[str]) -> Ints:
        """Return the rows of many ids, (k,), in their order; -1: unknown, so mask the rows before you index with them."""
        if not external_ids or not len(self):
            return np.full(len(external_ids), -1, dtype=np.int64)
        return self.rows_of_bytes(np.array([item_id.encode() for item_id in external_ids], dtype=np.bytes_))

    def rows_of_bytes(self, wanted: Bytes) -> Ints:
        """Return the rows of ids in an array of bytes, (k,); -1: unknown."""
        if not len(self):
            return np.full(wanted.size, -1, dtype=np.int64)
        indices = np.minimum(np.searchsorted(self._ids, wanted), len(self) - 1)
        return np.where(self._ids[indices] == wanted, indices, -1).astype(np.int64)

    def id(self, row: int) -> str:
        """Return the id at `row`. Raises IndexError for a negative row."""
        if row < 0:
            raise IndexError(f"row {row} is negative")
        return bytes(self._ids[row]).decode()

    def ids_at(self, rows: Ints) -> list[str]:
        """Return the ids at `rows` (k,), in their order. Raises IndexError for a negative row."""
        if rows.size and int(rows.min()) < 0:
            raise IndexError(f"row {int(rows.min())} is negative")
        return [item_id.decode() for item_id in self._ids[rows].tolist()]

    def ids(self) -> list[str]:
        """Return all ids in row order."""
        return [item_id.decode() for item_id in self._ids.tolist()]
