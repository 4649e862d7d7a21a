"""What the artifact engines share: arrays checked at load, ids lined up with the catalogue, scores scattered back."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing.store import Artifact


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Which row of an artifact is which row of the catalogue.

    Vectors stay in the artifact's own order, so that they can stay memory-mapped; only scores are moved.
    """

    artifact_rows: Ints  # (n_items,) row in the artifact, -1: the item is newer than the model
    identical: bool  # both number the same items alike, so scores need not move at all

    @classmethod
    def of(cls, artifact: Artifact, catalogue: Catalogue) -> "Alignment":
        """Line up `item_ids` with the catalogue; items gone from it are dropped. Raises ArtifactRefused on repeats."""
        ids = array(artifact, "item_ids", (None,), kinds="S")
        if np.unique(ids).size != ids.size:
            raise ArtifactRefused(
                f"{artifact.version}: item_ids repeat; {ids.size} rows, {np.unique(ids).size} ids; train again"
            )
        places = catalogue.ids.rows_of_bytes(ids)
        kept = places >= 0
        artifact_rows = np.full(len(catalogue), -1, dtype=np.int64)
        artifact_rows[places[kept]] = np.flatnonzero(kept)
        identical = ids.size == len(catalogue) and np.array_equal(places, np.arange(ids.size))
        return cls(artifact_rows, bool(identical))

    def scatter(self, scores: Floats) -> Floats:
        """Scores by artifact row (n_artifact,) as scores by catalogue row (n_items,), NaN for items it does not hold."""
        if self.identical:
            return scores
        moved = scores[np.maximum(self.artifact_rows, 0)]
        moved[self.artifact_rows < 0] = np.nan
        return moved

    def catalogue_rows(self, n_artifact: int) -> Ints:
        """(n_artifact,) the way back: the catalogue's row of each of the artifact's, -1: gone from the catalogue."""
        rows = np.full(n_artifact, -1, dtype=np.int64)
        held = np.flatnonzero(self.artifact_rows >= 0)
        rows[self.artifact_rows[held]] = held
        return rows

    def known(self, rows: Ints) -> Bools:
        """(k,), True where the artifact holds that catalogue row."""
        return np.asarray(self.artifact_rows[rows] >= 0)


@dataclass(frozen=True, slots=True, eq=False)
class Taste:
    """What a query says someone likes: the subject of the request if it has one, else the history."""

    rows: Ints  # (k,) catalogue rows, newest first
    weights: Floats  # (k,) never zero; negative: a dislike
    from_subject: bool

    @classmethod
    def of(cls, query: Query) -> "Taste":
        """The subject counts 1 an item; a history counts as weighed, items seen without an opinion left out."""
        if query.subject.size:
            return cls(query.subject, np.ones(query.subject.size, dtype=np.float32), from_subject=True)
        told = query.history.weights != 0
        return cls(query.history.rows[told], query.history.weights[told], from_subject=False)

    def within(self, places: Bools) -> "Taste":
        """Only the items at `places`, (k,)."""
        return Taste(self.rows[places], self.weights[places], self.from_subject)

    def liked(self) -> "Taste":
        """Only what counts in favour."""
        return self.within(self.weights > 0)


def array(artifact: Artifact, name: str, shape: Sequence[int | None], *, kinds: str = "f") -> AnyArray:
    """One array of an artifact without copying it; None in `shape` allows any length.

    Raises ArtifactRefused naming what is missing, or both shapes.
    """
    if name not in artifact.arrays:
        raise ArtifactRefused(f"{artifact.version}: {name} is missing; train it again")
    found = np.asarray(artifact.arrays[name])
    fits = len(found.shape) == len(shape) and all(
        want is None or have == want for have, want in zip(found.shape, shape, strict=True)
    )
    if not fits or found.dtype.kind not in kinds:
        wanted = tuple("any" if want is None else want for want in shape)
        raise ArtifactRefused(f"{artifact.version}: {name} is {found.dtype}{found.shape}, not {kinds}{wanted}; train it again")
    return found


def bounds(artifact: Artifact, indptr: str, indices: str, shape: tuple[int, int]) -> tuple[Ints, Ints]:
    """Bounds (n + 1,) and columns (z,) of the stored places of an (n, m) table.

    Raises ArtifactRefused when they point outside it.
    """
    starts = array(artifact, indptr, (shape[0] + 1,), kinds="iu")
    columns = array(artifact, indices, (None,), kinds="iu")
    rising = bool(starts[0] == 0 and starts[-1] == columns.size and (np.diff(starts) >= 0).all())
    inside = bool(columns.size and columns.min() >= 0 and columns.max() < shape[1])
    if not (rising and inside):
        raise ArtifactRefused(f"{artifact.version}: {indptr} and {indices} do not describe {shape}; train again")
    return starts, columns


def csr(artifact: Artifact, indptr: str, indices: str, values: str, shape: tuple[int, int]) -> sparse.csr_array:
    """A sparse matrix over an artifact's own pages. Raises ArtifactRefused when its arrays do not describe `shape`."""
    starts, columns = bounds(artifact, indptr, indices, shape)
    stored = array(artifact, values, (columns.size,))
    return sparse.csr_array((stored, columns, starts), shape=shape, copy=False)


def telling(artifact: Artifact, name: str, shape: Sequence[int | None]) -> Floats:
    """As `array`, for vectors; raises ArtifactRefused when all their numbers are equal: such a model ranks nothing."""
    found = array(artifact, name, shape)
    if found.size == 0 or found.min() == found.max():
        raise ArtifactRefused(f"{artifact.version}: {name} holds one number only, so it cannot rank; train it again")
    return found


def parameter(artifact: Artifact, name: str) -> float:
    """One number of the manifest's parameters; raises ArtifactRefused naming it when it is not there."""
    value = artifact.manifest.parameters.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ArtifactRefused(f"{artifact.version}: parameter {name} is {value!r}, not a number; train it again")
    return float(value)
