"""ALS: who likes what others with the same taste like. Users are folded in from today's history, not looked up."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import linalg
from scipy.linalg import lapack

from recommendation_service.core.numeric import Bools, Floats, Ints, frequency_scaled
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.alignment import Alignment, Taste, array, parameter, telling
from recommendation_service.engines.base import Engine
from recommendation_service.engines.latest import Latest
from recommendation_service.engines.reason_texts import because
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing.store import Artifact


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """One user against fixed item factors: the vector, and what is needed to say where it came from."""

    vector: Floats  # (k,)
    factor: Any  # lower Cholesky factor of the normal equations, as scipy's cho_solve takes it
    rows: Ints  # (j,) artifact rows of the history
    confidence: Floats  # (j,)

    def contributions(self, item_factors: Floats, row: int) -> Floats:
        """(j,) what each history item adds to the score of `row`; they sum to the score (Hu et al., section 5)."""
        towards, _ = lapack.dpotrs(self.factor[0], item_factors[row].astype(np.float64), lower=1)
        return np.asarray(self.confidence * (item_factors[self.rows] @ towards), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Terms:
    """How a model's solver weighs one person: what its manifest tells, so that folding in equals training."""

    alpha: float
    regularization: float
    scaling: float = 0.0  # power of how often somebody occurs; 0: regularization is the same for all
    on_top: bool = False  # a like's confidence comes on top of the 1 of silence; False: in its place, as `implicit` has it

    @classmethod
    def of(cls, artifact: Artifact) -> "Terms":
        """What a manifest tells; one that tells of no solver is `implicit`'s. Raises ArtifactRefused for another one."""
        told = artifact.manifest.parameters
        solver = told.get("solver", "implicit")
        if solver not in ("implicit", "exact"):
            raise ArtifactRefused(f"{artifact.version}: solver {solver!r} is neither implicit nor exact; train it again")
        scaling = parameter(artifact, "frequency_scaling") if "frequency_scaling" in told else 0.0
        return cls(parameter(artifact, "alpha"), parameter(artifact, "regularization"), scaling, on_top=solver == "exact")

    def ridge(self, confidence: Floats, others: int) -> float:
        """What holds down the vector of somebody with these likes among `others` items."""
        return float(frequency_scaled(self.regularization, self.scaling, confidence.sum(dtype=np.float64), others))


def fold_in(
    item_factors: Floats, gram: Floats, rows: Ints, confidence: Floats, regularization: float, *, on_top: bool = False
) -> Folded:
    """Vector of one user against fixed item factors.

    item_factors is (n_items, k), gram is its own product (k, k), rows is (j,), confidence is alpha * weight, > 0:
    exactly what `implicit` takes as c, where a pair that never met has c = 1; with `on_top` that 1 stays beside it.
    Solves equation 4 of Hu, Koren & Volinsky (2008), "Collaborative Filtering for Implicit Feedback Datasets", or, with
    `on_top`, that of Rendle et al. (2022). Raises LinAlgError when regularization is 0 and the rows do not span k dimensions.
    """
    liked = item_factors[rows].astype(np.float64)
    trust = confidence.astype(np.float64)
    system = gram.astype(np.float64) + (liked.T * (trust if on_top else trust - 1.0)) @ liked
    system[np.diag_indices_from(system)] += regularization
    factor = linalg.cho_factor(system, lower=True, check_finite=False)
    vector = linalg.cho_solve(factor, liked.T @ trust, check_finite=False)
    return Folded(vector.astype(np.float32), factor, rows, confidence)


class CollaborativeALS(Engine):
    """Implicit-feedback matrix factorisation. An item nobody liked in training is unknown to it: NaN."""

    label: ClassVar[str] = "ALS"

    def __init__(
        self,
        name: str,
        version: str,
        catalogue: Catalogue,
        alignment: Alignment,
        item_factors: Floats,
        gram: Floats,
        trained: Bools,
        terms: Terms,
    ) -> None:
        """`item_factors` (n, k) and `trained` (n,) are in the artifact's row order; `gram` is (k, k)."""
        super().__init__(name, version)
        self._titles = catalogue.titles
        self._alignment = alignment
        self._item_factors = item_factors
        self._gram = gram
        self._untrained = np.flatnonzero(~trained)
        self._trained = trained
        self._terms = terms
        self._latest: Latest[tuple[Taste, Folded] | None] = Latest()

    @classmethod
    def from_artifact(cls, name: str, artifact: Artifact, catalogue: Catalogue) -> "CollaborativeALS":
        """The engine of one published model of kind "als". Raises ArtifactRefused naming what does not fit."""
        alignment = Alignment.of(artifact, catalogue)
        n_items = int(array(artifact, "item_ids", (None,), kinds="S").size)
        factors = telling(artifact, "item_factors", (n_items, None))
        gram = array(artifact, "gram", (factors.shape[1], factors.shape[1]))
        trained = array(artifact, "item_counts", (n_items,), kinds="iu") > 0
        return cls(name, artifact.version, catalogue, alignment, factors, gram, trained, Terms.of(artifact))

    def scores(self, query: Query) -> Floats | None:
        """Affinity of each item to the folded-in user, around 0 to 1; None without a known liked item."""
        found = self._latest.keep(query, self._fold(query))
        if found is None:
            return None
        scores = self._item_factors @ found[1].vector
        scores[self._untrained] = np.nan
        return self._alignment.scatter(scores)

    def explain(self, query: Query, row: int) -> Reason | None:
        """The item of the history (or subject) that adds most to this row's score."""
        found = self._latest.of(query) or self._latest.keep(query, self._fold(query))
        own = int(self._alignment.artifact_rows[row])
        if found is None or own < 0 or not self._trained[own]:
            return None
        taste, folded = found
        shares = folded.contributions(self._item_factors, own)
        best = int(np.argmax(shares))
        if shares[best] <= 0:
            return None
        text = because(self._titles[taste.rows[best]], of_subject=taste.from_subject)
        return Reason(self.name, text, float(shares[best]))

    def _known_taste(self, query: Query) -> Taste:
        liked = Taste.of(query).liked()
        known = self._alignment.known(liked.rows)
        known[known] = self._trained[self._alignment.artifact_rows[liked.rows[known]]]
        return liked.within(known)

    def _fold(self, query: Query) -> tuple[Taste, Folded] | None:
        """The likes that are known to the model, and their person."""
        liked = self._known_taste(query)
        if not liked.rows.size:
            return None
        rows = self._alignment.artifact_rows[liked.rows]
        terms, confidence = self._terms, self._terms.alpha * liked.weights
        ridge = terms.ridge(confidence, self._trained.size - self._untrained.size)
        return liked, fold_in(self._item_factors, self._gram, rows, confidence, ridge, on_top=terms.on_top)
