"""ALS: items that users with the same taste liked. Users are folded in from their current history, not looked up."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import linalg
from scipy.linalg import lapack

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints, frequency_scaled
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.alignment import LikedItems, array, item_count, parameter, varied_array
from recommendation_service.engines.base import ModelEngine
from recommendation_service.engines.reason_texts import strongest_liked
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing.store import Artifact

SOLVERS = ("implicit", "exact", "spark")


@dataclass(frozen=True, slots=True, eq=False)
class FoldedUser:
    """One user's vector for fixed item factors, and the terms of its scores."""

    vector: Floats  # (k,)
    factor: Any  # lower Cholesky factor of the normal equations, as scipy's cho_solve takes it
    rows: Ints  # (j,) artifact rows of the history
    confidence: Floats  # (j,)

    def contributions(self, item_factors: Floats, rows: Ints) -> AnyArray:
        """Return (j, r), what each history item adds to the scores of `rows` (r,); columns sum to the score.

        Section 5 of Hu, Koren & Volinsky (2008), "Collaborative Filtering for Implicit Feedback Datasets".
        """
        directions, _ = lapack.dpotrs(self.factor[0], item_factors[rows].T.astype(np.float64), lower=1)
        return np.asarray(self.confidence[:, None] * (item_factors[self.rows] @ directions), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class SolverTerms:
    """The settings of a model's solver for one user, from its manifest, so that folding in equals training."""

    alpha: float
    regularization: float
    scaling: float = 0.0  # power of the user's total confidence; 0: the same regularization for all
    on_top: bool = False  # True: a like's confidence is added to the 1 of an unobserved pair; False: replaces it, as `implicit`
    of_spark: bool = False  # the confidence of a like is 1 + alpha * weight, and regularization is times the number of likes

    @classmethod
    def of(cls, artifact: Artifact) -> "SolverTerms":
        """Return the settings of a manifest, of `implicit` if it names no solver. Raises ArtifactRefused for an unknown one."""
        parameters = artifact.manifest.parameters
        solver = parameters.get("solver", "implicit")
        if solver not in SOLVERS:
            raise ArtifactRefused(f"{artifact.version}: solver {solver!r} is none of {', '.join(SOLVERS)}; train it again")
        scaling = parameter(artifact, "frequency_scaling") if "frequency_scaling" in parameters else 0.0
        alpha, regularization = parameter(artifact, "alpha"), parameter(artifact, "regularization")
        return cls(alpha, regularization, scaling, on_top=solver == "exact", of_spark=solver == "spark")

    def confidence(self, weights: Floats) -> Floats:
        """Return the confidence of likes with these weights, (j,)."""
        return self.alpha * weights + np.float32(self.of_spark)

    def ridge(self, confidence: Floats, n_items: int) -> float:
        """Return the regularization of a user with these likes among `n_items` items."""
        if self.of_spark:
            return self.regularization * confidence.size
        return float(frequency_scaled(self.regularization, self.scaling, confidence.sum(dtype=np.float64), n_items))


def fold_in(
    item_factors: Floats, gram: Floats, rows: Ints, confidence: Floats, regularization: float, *, on_top: bool = False
) -> FoldedUser:
    """Solve for one user's factors with the item factors fixed.

    item_factors is (n_items, k), gram is item_factors.T @ item_factors (k, k), rows is (j,), confidence is alpha * weight,
    > 0: the c of `implicit`, where an unobserved pair has c = 1; with `on_top` that 1 is added.
    Equation 4 of Hu, Koren & Volinsky (2008), "Collaborative Filtering for Implicit Feedback Datasets", or, with
    `on_top`, that of Rendle et al. (2022). Raises LinAlgError if regularization is 0 and the rows do not span k dimensions.
    """
    liked = item_factors[rows].astype(np.float64)
    weights = confidence.astype(np.float64)
    system = gram.astype(np.float64) + (liked.T * (weights if on_top else weights - 1.0)) @ liked
    system[np.diag_indices_from(system)] += regularization
    factor = linalg.cho_factor(system, lower=True, check_finite=False)
    vector = linalg.cho_solve(factor, liked.T @ weights, check_finite=False)
    return FoldedUser(vector.astype(np.float32), factor, rows, confidence)


class CollaborativeALS(ModelEngine):
    """Implicit-feedback matrix factorisation. No prediction (NaN) for an item without a like in training."""

    label: ClassVar[str] = "ALS"

    def __init__(self, name: str, artifact: Artifact, catalogue: Catalogue) -> None:
        """As of every ModelEngine, from a model of kind "als"."""
        super().__init__(name, artifact, catalogue)
        n_items = item_count(artifact)
        self._item_factors = varied_array(artifact, "item_factors", (n_items, None))  # (n, k)
        k = self._item_factors.shape[1]
        self._gram = array(artifact, "gram", (k, k))
        self._trained: Bools = np.asarray(array(artifact, "item_counts", (n_items,), kinds="iu") > 0)
        self._untrained = np.flatnonzero(~self._trained)
        self._terms = SolverTerms.of(artifact)

    def score(self, basis: tuple[LikedItems, FoldedUser]) -> Floats:
        """Return the affinity of each item to the folded-in user, around 0 to 1."""
        scores = self._item_factors @ basis[1].vector
        scores[self._untrained] = np.nan
        return scores

    def reasons(
        self, query: Query, basis: tuple[LikedItems, FoldedUser], rows: Ints, model_rows: Ints
    ) -> list[tuple[Reason, ...]]:
        """Return the item of the history (or subject) that adds most to the score of each row."""
        liked, user = basis
        shares = user.contributions(self._item_factors, model_rows)
        shares[:, (model_rows < 0) | ~self._trained[model_rows]] = 0
        return strongest_liked(self.name, self._catalogue.titles, liked, shares)

    def read(self, query: Query) -> tuple[LikedItems, FoldedUser] | None:
        """Return the liked items that the model knows, and the user folded in from them; None without such items."""
        liked = self._alignment.known(LikedItems.of(query).positive(), self._trained)
        if not liked.rows.size:
            return None
        rows = self._alignment.artifact_rows[liked.rows]
        terms, confidence = self._terms, self._terms.confidence(liked.weights)
        ridge = terms.ridge(confidence, self._trained.size - self._untrained.size)
        return liked, fold_in(self._item_factors, self._gram, rows, confidence, ridge, on_top=terms.on_top)
