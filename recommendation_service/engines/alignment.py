"""Shared by engines with a model: checked arrays, model rows aligned with catalogue rows, liked items of a query."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing.store import Artifact


@dataclass(frozen=True, slots=True, eq=False)
class LikedItems:
    """The items that a query is based on: the subject of the request if it has one, else the history."""

    rows: Ints  # (k,) catalogue rows, newest first
    weights: Floats  # (k,) never zero; negative: a dislike
    from_subject: bool
    verbs: tuple[str, ...] = ()  # (k,) what the user did with each, such as "bought"; (): unknown

    @classmethod
    def of(cls, query: Query) -> "LikedItems":
        """Return the subjects with weight 1 each, or the history with its weights, without items of weight 0 (seen only)."""
        if query.subject.size:
            return cls(query.subject, np.ones(query.subject.size, dtype=np.float32), from_subject=True)
        weighted = query.history.weights != 0
        history = query.history
        verbs = [history.verbs[event] for event in history.events[weighted].tolist()] if history.verbs else []
        return cls(history.rows[weighted], history.weights[weighted], from_subject=False, verbs=tuple(verbs))

    def where(self, mask: Bools) -> "LikedItems":
        """Return the items where `mask` (k,) is True."""
        verbs = tuple(compress(self.verbs, mask)) if self.verbs else ()
        return LikedItems(self.rows[mask], self.weights[mask], self.from_subject, verbs)

    def verb(self, index: int) -> str:
        """Return what the user did with one of the items; "" if it is not known."""
        return self.verbs[index] if self.verbs else ""

    def positive(self) -> "LikedItems":
        """Return the items with a positive weight."""
        return self.where(self.weights > 0)


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Maps the rows of an artifact to rows of the catalogue.

    Vectors stay in the artifact's order, so that they can stay memory-mapped; only scores are moved.
    """

    artifact_rows: Ints  # (n_items,) row in the artifact, -1: the item is newer than the model
    identical: bool  # True: both have the same items in the same order, so scores need not move

    @classmethod
    def of(cls, artifact: Artifact, catalogue: Catalogue) -> "Alignment":
        """Align `item_ids` with the catalogue; items gone from it are dropped. Raises ArtifactRefused for repeated ids."""
        ids = array(artifact, "item_ids", (None,), kinds="S")
        if np.unique(ids).size != ids.size:
            raise ArtifactRefused(
                f"{artifact.version}: item_ids repeat; {ids.size} rows, {np.unique(ids).size} ids; train again"
            )
        rows = catalogue.ids.rows_of_bytes(ids)
        present = rows >= 0
        artifact_rows = np.full(len(catalogue), -1, dtype=np.int64)
        artifact_rows[rows[present]] = np.flatnonzero(present)
        identical = ids.size == len(catalogue) and np.array_equal(rows, np.arange(ids.size))
        return cls(artifact_rows, bool(identical))

    def scatter(self, scores: Floats) -> Floats:
        """Return scores by artifact row (n_artifact,) as scores by catalogue row (n_items,), NaN for items it lacks."""
        if self.identical:
            return scores
        moved = scores[np.maximum(self.artifact_rows, 0)]
        moved[self.artifact_rows < 0] = np.nan
        return moved

    def catalogue_rows(self, n_artifact: int) -> Ints:
        """Return (n_artifact,), the inverse mapping; -1: gone from the catalogue."""
        rows = np.full(n_artifact, -1, dtype=np.int64)
        present = np.flatnonzero(self.artifact_rows >= 0)
        rows[self.artifact_rows[present]] = present
        return rows

    def known(self, items: LikedItems, usable: Bools | None = None) -> LikedItems:
        """Return the items that are in the artifact; with `usable` (n_artifact,), only those of its rows that are True."""
        artifact_rows = self.artifact_rows[items.rows]
        mask = np.asarray(artifact_rows >= 0)
        if usable is not None:
            mask[mask] = usable[artifact_rows[mask]]
        return items.where(mask)


def array(artifact: Artifact, name: str, shape: Sequence[int | None], *, kinds: str = "f") -> AnyArray:
    """Return one array of an artifact without a copy; None in `shape` allows any length.

    Raises ArtifactRefused, which names the missing array or both shapes.
    """
    if name not in artifact.arrays:
        raise ArtifactRefused(f"{artifact.version}: {name} is missing; train it again")
    stored = np.asarray(artifact.arrays[name])
    fits = len(stored.shape) == len(shape) and all(
        want is None or have == want for have, want in zip(stored.shape, shape, strict=True)
    )
    if not fits or stored.dtype.kind not in kinds:
        expected = tuple("any" if want is None else want for want in shape)
        raise ArtifactRefused(
            f"{artifact.version}: {name} is {stored.dtype}{stored.shape}, not {kinds}{expected}; train it again"
        )
    return stored


def item_count(artifact: Artifact) -> int:
    """Return the number of items of an artifact."""
    return int(array(artifact, "item_ids", (None,), kinds="S").size)


def bounds(artifact: Artifact, indptr: str, indices: str, shape: tuple[int, int]) -> tuple[Ints, Ints]:
    """Return the index arrays of an (n, m) sparse table: bounds (n + 1,) and columns (z,).

    Raises ArtifactRefused when they point outside it.
    """
    starts = array(artifact, indptr, (shape[0] + 1,), kinds="iu")
    columns = array(artifact, indices, (None,), kinds="iu")
    ascending = bool(starts[0] == 0 and starts[-1] == columns.size and (np.diff(starts) >= 0).all())
    inside = bool(columns.size and columns.min() >= 0 and columns.max() < shape[1])
    if not (ascending and inside):
        raise ArtifactRefused(f"{artifact.version}: {indptr} and {indices} do not describe {shape}; train again")
    return starts, columns


def csr(artifact: Artifact, indptr: str, indices: str, values: str, shape: tuple[int, int]) -> sparse.csr_array:
    """Return a sparse matrix over the artifact's arrays. Raises ArtifactRefused if they do not describe `shape`.

    scipy copies both index arrays where their types differ, so the bounds, the smaller one, take the type of the columns
    if they fit: then columns and values stay memory-mapped.
    """
    starts, columns = bounds(artifact, indptr, indices, shape)
    stored = array(artifact, values, (columns.size,))
    if max(columns.size, *shape) <= np.iinfo(columns.dtype).max:
        starts = starts.astype(columns.dtype, copy=False)
    return sparse.csr_array((stored, columns, starts), shape=shape, copy=False)


def varied_array(artifact: Artifact, name: str, shape: Sequence[int | None]) -> Floats:
    """Return `array`; raises ArtifactRefused if all its numbers are equal, since such a model cannot rank."""
    stored = array(artifact, name, shape)
    if stored.size == 0 or stored.min() == stored.max():
        raise ArtifactRefused(f"{artifact.version}: {name} holds one number only, so it cannot rank; train it again")
    return stored


def parameter(artifact: Artifact, name: str) -> float:
    """Return one number of the manifest's parameters. Raises ArtifactRefused if it is missing or not a number."""
    value = artifact.manifest.parameters.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ArtifactRefused(f"{artifact.version}: parameter {name} is {value!r}, not a number; train it again")
    return float(value)
