"""EASE: which item goes with which, in closed form. Steck (2019), "Embarrassingly Shallow Autoencoders for Sparse Data".

One ridge regression predicts each item from all the others. Where a catalogue is too large to invert a table of it,
items are compared by cosine instead (Deshpande & Karypis 2004, "Item-Based Top-N Recommendation Algorithms"), which is
what EASE comes close to when people have few items each.
"""

from dataclasses import asdict, dataclass

import numpy as np
from scipy import sparse

from recommendation_service.datasets.files import Events
from recommendation_service.datasets.weighting import DAY_S
from recommendation_service.numeric import Floats
from recommendation_service.training.item_rows import Known, arrays_of, strongest
from recommendation_service.training.linear import inverse_of
from recommendation_service.training.material import Material, NotEnough, Trained

LEAST_PEOPLE, LEAST_ITEMS = 2, 2


@dataclass(frozen=True, slots=True)
class EaseParameters:
    """`regularization` is the ridge's lambda, in people: it grows with how dense the site's data are.

    With `decay_days` a liking of long ago counts less, but never below `floor`. Of each item's row the `kept` strongest
    places are published. Catalogues of more than `invertible` liked items get cosine neighbours, shrunk by `shrink`.
    """

    regularization: float = 500.0
    decay_days: float = 0.0  # 0: age does not matter
    floor: float = 0.3
    kept: int = 512
    invertible: int = 20_000
    shrink: float = 10.0


def train_ease(material: Material, parameters: EaseParameters) -> Trained:
    """The table of weights, its diagonal empty: a person's scores are the sum of their items' rows.

    Deterministic for a number of threads. Raises NotEnough for fewer than two people with two items each.
    """
    known = Known.of(material.pasts)
    likings = liking_matrix(material, parameters)
    able = int(np.count_nonzero(np.diff(likings.indptr) > 1))
    if able < LEAST_PEOPLE or known.rows.size < LEAST_ITEMS:
        raise NotEnough(f"EASE needs {LEAST_PEOPLE} people who liked 2 items each; this export has {able}")
    narrow = sparse.csr_array(likings[:, known.rows])
    if known.rows.size <= parameters.invertible:
        table = strongest(weights_of(narrow, parameters.regularization), parameters.kept)
    else:
        table = neighbours_of(narrow, parameters)
    arrays = {"item_ids": material.catalogue.ids.array, "item_counts": known.counts.astype(np.int32)}
    return Trained("ease", arrays | arrays_of(known.spread(table)), asdict(parameters))


def liking_matrix(material: Material, parameters: EaseParameters) -> sparse.csr_array:
    """(n_users, n_items) of 1 where somebody liked something, less where that was long ago."""
    matrix = material.pasts.liked().matrix()
    matrix.data = np.ones_like(matrix.data)
    if parameters.decay_days > 0:
        age_days = (material.now - _newest(material.events, matrix)) / DAY_S
        faded = np.exp(-np.maximum(age_days, 0) / parameters.decay_days)
        matrix.data = (parameters.floor + (1 - parameters.floor) * faded).astype(np.float32)
    return sparse.csr_array(matrix)


def _newest(events: Events, matrix: sparse.csr_array) -> Floats:
    """(nnz,) when each stored place last happened."""
    users = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    wanted = users * matrix.shape[1] + matrix.indices
    keys = events.users * matrix.shape[1] + events.items
    order = np.argsort(keys, kind="stable")  # events ascend in time, so the last of a key is the newest
    last = np.searchsorted(keys[order], wanted, side="right") - 1
    return np.asarray(events.times[order[last]])


def weights_of(likings: sparse.csr_array, regularization: float) -> Floats:
    """(n, n) the closed-form solution B = I - P / diag(P), with P the inverse of X'X + lambda I; the diagonal is zero."""
    gram = np.asarray((likings.T @ likings).toarray(), dtype=np.float32, order="F")
    gram[np.diag_indices_from(gram)] += np.float32(regularization)
    inverse = inverse_of(gram)
    found = -inverse / np.diag(inverse)
    np.fill_diagonal(found, 0)
    return np.asarray(found, dtype=np.float32)


def neighbours_of(likings: sparse.csr_array, parameters: EaseParameters) -> sparse.csr_array:
    """(n, n) shrunk cosines, each row's strongest only; worked out a block of rows at a time."""
    lengths = np.sqrt(np.asarray(likings.multiply(likings).sum(axis=0), dtype=np.float64)).ravel()
    turned = sparse.csr_array(likings.T)
    parts = []
    for start in range(0, turned.shape[0], 512):
        together = np.asarray((turned[start : start + 512] @ likings).toarray(), dtype=np.float32)
        scale = np.outer(lengths[start : start + 512], lengths) + parameters.shrink
        together /= scale
        own = np.arange(together.shape[0])
        together[own, own + start] = 0
        parts.append(strongest(together, parameters.kept))
    return sparse.csr_array(sparse.vstack(parts))
