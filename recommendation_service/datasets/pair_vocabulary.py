"""Words of columns as places in one table of vectors, the same where a network is trained and where it is served."""

from collections.abc import Mapping

import numpy as np

from recommendation_service.core.numeric import Bytes, Ints
from recommendation_service.domain.side import Texts

UNKNOWN = -1
NONE = b"="  # stands in a table without tokens, since an empty array is never published


def vocabulary(columns: Mapping[str, Texts]) -> Bytes:
    """(v,) every word there is as "column=word", unique and ascending; at least one row."""
    told = {f"{name}={word}".encode() for name, column in columns.items() for word in np.unique(column).tolist() if word}
    return np.array(sorted(told) or [NONE], dtype=np.bytes_)


def places(columns: Mapping[str, Texts], tokens: Bytes) -> Ints:
    """(n, columns) row of each word in the vocabulary; UNKNOWN where it is none of them."""
    rows = {word.decode(): row for row, word in enumerate(tokens.tolist())}
    found = []
    for name, column in columns.items():
        own, where = np.unique(column, return_inverse=True)
        found.append(np.array([rows.get(f"{name}={word}", UNKNOWN) for word in own.tolist()], dtype=np.int64)[where])
    return np.stack(found, axis=1) if found else np.empty((0, 0), dtype=np.int64)
