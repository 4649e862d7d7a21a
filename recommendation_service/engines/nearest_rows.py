"""A published FAISS index, wrapped: bounded, checked against the model it was made from, and never trusted for scores."""

from typing import Any

import numpy as np

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.core.threads import load_faiss
from recommendation_service.publishing.store import Artifact

NO_FAISS = "faiss is not installed here (pip install faiss-cpu)"


class NearestIndex:
    """Finds the rows whose vectors have the largest product with a query's; approximate, so its order is only a hint."""

    def __init__(self, index: Any, n_items: int) -> None:
        """`index` is a faiss.Index over (n_items, d)."""
        self._index = index
        self._n_items = n_items

    def rows(self, vector: Floats, count: int) -> Ints:
        """At most `count` unique rows, (k,), nearest first; `vector` is (d,) and finite."""
        wanted = max(1, min(count, self._n_items))
        found: Ints = self._index.search(vector[None].astype(np.float32), wanted)[1][0].astype(np.int64)
        return found[(found >= 0) & (found < self._n_items)]  # faiss pads with -1, which would be the last item


def open_index(index: Artifact | None, model: Artifact, dimension: int) -> NearestIndex | str:
    """The index of exactly this model, ready to be asked; else in words why there is none to ask."""
    if index is None:
        return "no index is published, or it was refused; run: build_index"
    if index.manifest.parameters.get("model_seal") != model.manifest.seal:
        return f"{index.version} was made from another model than {model.version}; run: build_index"
    try:
        read = load_faiss().deserialize_index(np.array(index.arrays["index"]))
    except ImportError:
        return NO_FAISS
    except (RuntimeError, AssertionError, TypeError) as error:  # what the library throws at bytes it did not write
        return f"{index.version} cannot be read ({type(error).__name__}); run: build_index"
    n_items = int(model.arrays["item_ids"].size)
    if (int(read.ntotal), int(read.d)) != (n_items, dimension):
        return f"{index.version} holds {read.ntotal} x {read.d}, {model.version} {n_items} x {dimension}; run: build_index"
    return NearestIndex(read, n_items)
