"""Vectors in the site's own database: rows that carry a float32 vector, and the rows nearest to a vector.

A site subclasses `VectorRow`, names its table, and adds what a row is about:

    class ProductEmbedding(VectorRow):
        product = models.OneToOneField(Product, on_delete=models.CASCADE, primary_key=True)

        class Meta:
            db_table = "recommender_product_embeddings"

    found = vectors_of(models_dir, "shop")                       # what training published, or None
    rows = [ProductEmbedding(product_id=..., **packed(vector, made_by=found.version, text_hash=...)) for ...]
    upsert(rows, key="product_id")                               # insert, or replace the vector of the same product
    nearest(ProductEmbedding.objects.filter(made_by=found.version), query, limit=50)     # [Near(pk, score), ...]
    prepare_pgvector(ProductEmbedding)                           # once, by a command; False where there is no pgvector

Vectors are kept as unit rows, so a score is a cosine, -1 to 1. Everything works on SQLite and on PostgreSQL without the
extension; with it, the database itself finds the nearest (`postgres`) and the answers are the same. Vectors of two
models cannot be compared: filter by `made_by`. A person's own vector is `numeric.weighted_direction` of item vectors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.db import models
from django.db.models import QuerySet
from django.utils import timezone

from recommendation_service.core.numeric import Floats, top_rows, unit_rows
from recommendation_service.domain.idmap import IdMap
from recommendation_service.errors import InvalidInput
from recommendation_service.publishing.reading import published
from tandem.vectors import postgres
from tandem.vectors.postgres import prepare_pgvector

__all__ = ["Near", "Published", "VectorRow", "nearest", "packed", "prepare_pgvector", "unpacked", "upsert", "vectors_of"]

MAX_DIMENSION = 16_000  # pgvector's own limit
_SPARE = 16  # looked at beyond the limit, so that rounding at the cut cannot change the answer


class VectorRow(models.Model):
    """Abstract model: one row with a vector. A subclass adds the fields that say what the vector belongs to."""

    vector = models.BinaryField()  # float32, little-endian, unit length
    dimension = models.PositiveSmallIntegerField()
    made_by = models.CharField(max_length=200, db_index=True)  # the model's version, such as "embedding_v3"
    text_hash = models.CharField(max_length=64, blank=True)  # of what was embedded; "": not from a text
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """This model has no table."""

        abstract = True

    def array(self) -> Floats:
        """Return the vector, (dimension,)."""
        return unpacked(self.vector)


@dataclass(frozen=True, slots=True)
class Near:
    """A row and its similarity: the cosine, -1 to 1."""

    key: Any  # the row's primary key
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """The item vectors of one published model."""

    version: str
    ids: IdMap
    matrix: Floats  # (n, d), row i is the item ids.id(i); zeros: nothing known about that item
    text_hashes: tuple[str, ...]  # of the text that row i was made from; "": not from a text
    parameters: Mapping[str, Any]


def packed(vector: Floats, *, made_by: str, text_hash: str = "") -> dict[str, Any]:
    """Return the field values of a `VectorRow`. Raises InvalidInput for a vector that is zero or not finite."""
    whole = np.asarray(vector, dtype=np.float32)
    if whole.ndim != 1 or not 0 < whole.size <= MAX_DIMENSION:
        raise InvalidInput(f"a vector has one dimension of 1 to {MAX_DIMENSION} numbers, not {whole.shape}")
    if not np.isfinite(whole).all() or not whole.any():
        raise InvalidInput("a vector of zeros, or with numbers that are not finite, points nowhere; leave its row out")
    raw = unit_rows(whole).astype("<f4").tobytes()
    return {"vector": raw, "dimension": whole.size, "made_by": made_by, "text_hash": text_hash, "updated_at": timezone.now()}


def unpacked(raw: bytes | memoryview) -> Floats:
    """Return the read-only vector of the bytes of a stored row."""
    return np.frombuffer(raw, dtype="<f4").astype(np.float32, copy=False)


def upsert(rows: Sequence[VectorRow], *, key: str) -> None:
    """Insert rows in one statement. A row whose `key` exists replaces all other fields of the stored row.

    All rows must be of one class. Either all of them are written or none.
    """
    if not rows:
        return
    kind = type(rows[0])
    fields = [field for field in kind._meta.concrete_fields if not field.primary_key and key not in (field.name, field.attname)]
    kind._default_manager.bulk_create(
        rows, update_conflicts=True, unique_fields=[key], update_fields=[field.name for field in fields]
    )


def nearest(rows: QuerySet[Any], query: Floats, *, limit: int) -> list[Near]:
    """Return the rows with the largest cosine to `query`, (d,), best first; equal rows are in the order of their keys.

    `rows` is a queryset of a VectorRow subclass, filtered but not sliced. Rows of another dimension are skipped. A
    query of zeros has no nearest rows.
    """
    wanted = unit_rows(np.asarray(query, dtype=np.float32))
    if limit <= 0 or not wanted.any():
        return []
    alike = rows.filter(dimension=wanted.size)
    most = 2 * limit + _SPARE
    if postgres.is_prepared(rows.model, using=rows.db):
        candidates = postgres.proposed(alike, wanted, most)
    else:
        candidates = _proposed(alike, wanted, most)
    return _decided(candidates, wanted, limit)


def _proposed(rows: QuerySet[Any], wanted: Floats, most: int) -> list[tuple[Any, bytes]]:
    """Return key and bytes of the `most` best rows, by one pass over all vectors."""
    everything = list(rows.order_by("pk").values_list("pk", "vector"))
    if not everything:
        return []
    matrix = unpacked(b"".join(bytes(raw) for _, raw in everything)).reshape(-1, wanted.size)
    return [everything[row] for row in top_rows(matrix @ wanted, most).tolist()]


def _decided(candidates: Sequence[tuple[Any, bytes]], wanted: Floats, limit: int) -> list[Near]:
    """Return the best `limit` of the proposed rows. The same arithmetic is used for every database."""
    if not candidates:
        return []
    keyed = sorted(candidates, key=lambda pair: pair[0])
    matrix = np.stack([unpacked(raw) for _, raw in keyed]).astype(np.float64)
    scores = np.round((matrix * wanted.astype(np.float64)).sum(axis=1), 7)
    order = np.argsort(-scores, kind="stable")[:limit]
    return [Near(keyed[row][0], float(scores[row])) for row in order.tolist()]


def vectors_of(models_dir: Path, catalogue: str, kind: str = "embedding") -> Published | None:
    """Return the published item vectors, or None if that kind was never published for the catalogue.

    Raises ArtifactRefused if the model is damaged, and InvalidInput for a kind without item vectors.
    """
    artifact = published(models_dir, catalogue, kind)
    if artifact is None:
        return None
    if "item_vectors" not in artifact.arrays:
        raise InvalidInput(f"a model of kind {kind} has no item vectors; embedding and two_tower have")
    ids = IdMap(np.asarray(artifact.arrays["item_ids"]))
    hashes = artifact.arrays.get("text_hashes", np.full(len(ids), b""))
    texts = tuple(text_hash.decode() for text_hash in hashes.tolist())
    return Published(artifact.version, ids, artifact.arrays["item_vectors"], texts, artifact.manifest.parameters)
