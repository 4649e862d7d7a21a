"""A checkerboard: white and black items, people who like one colour. The right answer needs no code to be known."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Bools, unit_rows
from recommendation_service.domain.catalogue import Catalogue, Facet
from recommendation_service.domain.history import History
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.query import Profile, Query
from recommendation_service.publishing.manifest import Manifest
from recommendation_service.publishing.store import Artifact

N = 24
NOW = 1_750_000_000.0
COLOURS = ("white", "black")  # item 0 is white, item 1 black, and so on


def colour(item: int) -> str:
    return COLOURS[item % 2]


def item_ids(n: int = N) -> list[str]:
    return [f"item-{number:03d}" for number in range(n)]


def catalogue(n: int = N, *, without: Sequence[int] = ()) -> Catalogue:
    """The first n items in id order; `without` leaves some out, as when a site deletes them."""
    numbers = [number for number in range(n) if number not in without]
    return Catalogue(
        name="board",
        ids=IdMap.of(item_ids(n)[number] for number in numbers),
        titles=tuple(f"Tile {number}" for number in numbers),
        popularity=np.array([N * 2 - number for number in numbers], dtype=np.float32),
        created=np.array([NOW / 86_400 - number for number in numbers], dtype=np.float32),
        facets={
            "category": Facet.build([[colour(number)] for number in numbers]),
            "tags": Facet.build([[f"tone{number % 3}"] for number in numbers]),
        },
    )


def artifact(
    kind: str, arrays: Mapping[str, AnyArray], parameters: Mapping[str, float] | None = None, version: str = ""
) -> Artifact:
    manifest = Manifest(
        kind=kind,
        catalogue="board",
        created_at="2026-01-01T00:00:00+00:00",
        parameters=dict(parameters or {}),
        dataset={},
        metrics={},
        files={},
    )
    return Artifact(version or f"{kind}_v1", manifest, dict(arrays))


def _ids(order: Sequence[int]) -> AnyArray:
    return np.array([one.encode() for one in item_ids()], dtype=np.bytes_)[list(order)]


def _by_colour(order: Sequence[int]) -> AnyArray:
    return np.array([[number % 2 == 0, number % 2 == 1] for number in order], dtype=np.float32)


def als(order: Sequence[int] = range(N), *, alpha: float = 40.0, untrained: Sequence[int] = ()) -> Artifact:
    """Two factors, one per colour; a little longer for later items, so that scores differ."""
    factors = _by_colour(order) * (1 + np.array(order, dtype=np.float32)[:, None] / 100)
    arrays = {
        "item_factors": factors,
        "gram": factors.T @ factors,
        "item_counts": np.array([0 if number in untrained else 3 for number in order], dtype=np.int32),
        "item_ids": _ids(order),
    }
    return artifact("als", arrays, {"alpha": alpha, "regularization": 0.01})


def two_tower(order: Sequence[int] = range(N), *, recent: int = 5, decay: float = 0.9) -> Artifact:
    """d = 2, one axis per colour; the tower's layers pass bag and attributes through and add them."""
    vectors = _by_colour(order)
    arrays = {
        "item_vectors": vectors,
        "history_vectors": vectors,
        "item_ids": _ids(order),
        "attributes": np.array([b"", b"taste=black", b"taste=white"]),
        "attribute_vectors": np.array([[0, 0], [0, 1], [1, 0]], dtype=np.float32),
        "layer1_weights": np.eye(4, dtype=np.float32),
        "layer1_bias": np.zeros(4, dtype=np.float32),
        "layer2_weights": np.vstack([np.eye(2), np.eye(2)]).astype(np.float32),
        "layer2_bias": np.zeros(2, dtype=np.float32),
    }
    return artifact("two_tower", arrays, {"recent": recent, "decay": decay})


def content(order: Sequence[int] = range(N), *, blank: Sequence[int] = ()) -> Artifact:
    """Each item has its colour (0.8) and one of three tones (0.6); `blank` items have no term at all."""
    terms = ["category=black", "category=white", "tags=tone0", "tags=tone1", "tags=tone2"]
    matrix = np.zeros((len(order), len(terms)), dtype=np.float32)
    for place, number in enumerate(order):
        if number not in blank:
            matrix[place, terms.index(f"category={colour(number)}")] = 0.8
            matrix[place, terms.index(f"tags=tone{number % 3}")] = 0.6
    rows = sparse.csr_array(matrix)
    arrays = {
        "indptr": rows.indptr.astype(np.int64),
        "indices": rows.indices.astype(np.int32),
        "values": rows.data,
        "terms": np.array([term.encode() for term in terms]),
        "item_ids": _ids(order),
    }
    return artifact("content", arrays)


def co_occurrence(order: Sequence[int] = range(N), *, people: int = 12) -> Artifact:
    """Tiles of one colour are bought together, the farther apart their numbers the less; `people` are behind each pair."""
    alike = _by_colour(order) @ _by_colour(order).T
    apart = np.abs(np.subtract.outer(np.array(order), np.array(order)))
    pairs = sparse.csr_array(np.where((alike > 0) & (apart > 0), 1 - apart / (2 * N), 0).astype(np.float32))
    arrays = {
        "indptr": pairs.indptr.astype(np.int64),
        "indices": pairs.indices.astype(np.int32),
        "values": pairs.data,
        "people": np.full(pairs.nnz, people, dtype=np.int32),
        "item_counts": np.full(len(order), 3, dtype=np.int32),
        "item_ids": _ids(order),
    }
    return artifact("co_occurrence", arrays)


def similar_users(order: Sequence[int] = range(N), *, each: int = 12) -> Artifact:
    """`each` people who like white, and as many who like black, every one of them one tile less than the others."""
    strength = 1 + np.array(order, dtype=np.float32) / 100
    people = [(person // each, 2 * (person % each) + person // each) for person in range(2 * each)]
    table = np.array([[(number % 2 == side) * (number != lacks) for number in order] for side, lacks in people])
    rows = sparse.csr_array(unit_rows((table * strength).astype(np.float32)))
    columns = sparse.csr_array(rows.T)
    arrays = {
        "indptr": rows.indptr.astype(np.int64),
        "indices": rows.indices.astype(np.int32),
        "values": rows.data,
        "lengths": np.ones(len(people), dtype=np.float32),
        "item_weights": np.ones(len(order), dtype=np.float32),
        "item_counts": np.full(len(order), each - 1, dtype=np.int32),
        "item_indptr": columns.indptr.astype(np.int64),
        "item_users": columns.indices.astype(np.int32),
        "item_ids": _ids(order),
    }
    return artifact("similar_users", arrays)


def embedding(order: Sequence[int] = range(N), *, blank: Sequence[int] = ()) -> Artifact:
    """d = 5: an axis for each colour (0.8) and each of three tones (0.6); `blank` items are zeros."""
    vectors = np.zeros((len(order), 5), dtype=np.float32)
    for place, number in enumerate(order):
        if number not in blank:
            vectors[place, number % 2] = 0.8
            vectors[place, 2 + number % 3] = 0.6
    return artifact("embedding", {"item_vectors": vectors, "item_ids": _ids(order)})


def query(
    of: Catalogue,
    likes: Sequence[int] = (),
    *,
    weights: Sequence[float] | None = None,
    profile: Profile | None = None,
    eligible: Bools | None = None,
    user_id: str | None = "person-1",
    limit: int = 10,
    count: int | None = None,
    subject: Sequence[int] = (),
) -> Query:
    """Rows in, newest first; what was liked is not eligible unless a mask says otherwise."""
    rows = np.array(likes, dtype=np.int64)
    if eligible is None:
        eligible = np.ones(len(of), dtype=np.bool_)
        eligible[rows] = False
    values = np.ones(rows.size, dtype=np.float32) if weights is None else np.array(weights, dtype=np.float32)
    return Query(
        catalogue=of,
        history=History(rows, values, rows.size if count is None else count, events=np.zeros_like(rows), verbs=("liked",)),
        limit=limit,
        now=NOW,
        eligible=eligible,
        user_id=user_id,
        profile=profile or {},
        subject=np.array(subject, dtype=np.int64),
    )
