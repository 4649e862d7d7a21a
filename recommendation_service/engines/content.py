"""Content: items whose words, tags and attributes suit what someone liked and says of themselves. TF-IDF rows."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints, unit_rows
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Profile, Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.alignment import Alignment, Taste, array, csr
from recommendation_service.engines.base import Engine
from recommendation_service.engines.latest import Latest
from recommendation_service.engines.reason_texts import matches, shared_tags, similar
from recommendation_service.publishing.store import Artifact

PROFILE_COUNTS_AS = 3.0  # liked items: what a profile says fades as the history grows


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """What one query asks for, in terms."""

    said: Floats  # (t,) by the profile's own words
    liked: Floats  # (t,) by the taste
    taste: Taste  # of items with terms
    rows: sparse.csr_array  # (k, t) theirs


class Content(Engine):
    """Cosine between an item's TF-IDF row and a profile made of liked rows, dislikes and the user's own words."""

    label: ClassVar[str] = "content"
    least: ClassVar[float] = 0.0  # a list of zeros would be no list

    def __init__(
        self,
        name: str,
        version: str,
        catalogue: Catalogue,
        alignment: Alignment,
        rows: sparse.csr_array,
        terms: list[str],
        *,
        profile_counts_as: float = PROFILE_COUNTS_AS,
    ) -> None:
        """`rows` is (n, t) with unit rows in the artifact's order; an item without any term is unknown: NaN."""
        super().__init__(name, version)
        self._catalogue = catalogue
        self._alignment = alignment
        self._rows = rows
        self._columns = _columns_by_value(terms)
        self._described: Bools = np.asarray(np.diff(rows.indptr) > 0)
        self._undescribed = np.flatnonzero(~self._described)
        self._profile_counts_as = profile_counts_as
        self._latest: Latest[Wanted | None] = Latest()

    @classmethod
    def from_artifact(
        cls, name: str, artifact: Artifact, catalogue: Catalogue, *, profile_counts_as: float = PROFILE_COUNTS_AS
    ) -> "Content":
        """The engine of one published model of kind "content"; a profile weighs as much as that many liked items.

        Raises ArtifactRefused naming what does not fit.
        """
        alignment = Alignment.of(artifact, catalogue)
        n_items = int(array(artifact, "item_ids", (None,), kinds="S").size)
        terms = [term.decode() for term in array(artifact, "terms", (None,), kinds="S").tolist()]
        rows = csr(artifact, "indptr", "indices", "values", (n_items, len(terms)))
        return cls(name, artifact.version, catalogue, alignment, rows, terms, profile_counts_as=profile_counts_as)

    def scores(self, query: Query) -> Floats | None:
        """Cosine, -1 to 1, 0 for an item with nothing in common; None with neither a known taste nor a known word."""
        wanted = self._latest.keep(query, self._wanted(query))
        if wanted is None:
            return None
        scores = np.asarray(self._rows @ unit_rows(wanted.said + wanted.liked), dtype=np.float32)
        scores[self._undescribed] = np.nan
        return self._alignment.scatter(scores)

    def explain(self, query: Query, row: int) -> Reason | None:
        """What the profile and the item share, or the liked item most like it: whichever adds more to the score."""
        wanted = self._latest.of(query) or self._latest.keep(query, self._wanted(query))
        own = int(self._alignment.artifact_rows[row])
        if wanted is None or own < 0:
            return None
        start, stop = self._rows.indptr[own], self._rows.indptr[own + 1]
        terms, values = self._rows.indices[start:stop], self._rows.data[start:stop]
        said, liked = (float(values @ side[terms]) for side in (wanted.said, wanted.liked))
        matched = matches(self._catalogue, row, query.profile)
        if matched is not None and said > 0 and said >= liked:
            return Reason(self.name, matched, said)
        return self._nearest(wanted, row, terms, values) if liked > 0 else None

    def _nearest(self, wanted: Wanted, row: int, terms: AnyArray, values: Floats) -> Reason | None:
        taste, this = wanted.taste, np.zeros(self._rows.shape[1], dtype=np.float32)
        this[terms] = values
        likeness = np.maximum(taste.weights, 0) * (wanted.rows @ this)  # a dislike is nobody's reason
        best = int(np.argmax(likeness))
        if likeness[best] <= 0:
            return None
        other = int(taste.rows[best])
        shared = shared_tags(self._catalogue, row, other)
        text = similar(self._catalogue.titles[other], shared, of_subject=taste.from_subject)
        return Reason(self.name, text, float(likeness[best]))

    def _wanted(self, query: Query) -> Wanted | None:
        """What the profile's words and the taste ask for; None when both are silent.

        Around an item the visitor's own words are silent: what is similar to it is so for everybody.
        """
        said = self._profile_terms({} if query.subject.size else query.profile)
        taste = self._known_taste(query)
        rows = self._rows[self._alignment.artifact_rows[taste.rows]]
        liked = _asked_by(taste, rows)
        return Wanted(said, liked, taste, rows) if said.any() or liked.any() else None

    def _profile_terms(self, profile: Profile) -> Floats:
        terms = np.zeros(self._rows.shape[1], dtype=np.float32)
        for value in {value.casefold() for values in profile.values() for value in values}:
            terms[self._columns.get(value, _NO_COLUMNS)] = 1.0
        return np.float32(self._profile_counts_as) * unit_rows(terms)

    def _known_taste(self, query: Query) -> Taste:
        taste = Taste.of(query)
        known = self._alignment.known(taste.rows)
        known[known] = self._described[self._alignment.artifact_rows[taste.rows[known]]]
        return taste.within(known)


def _asked_by(taste: Taste, rows: sparse.csr_array) -> Floats:
    """(t,) sum of `rows` (k, t) by weight."""
    if not taste.rows.size:
        return np.zeros(rows.shape[1], dtype=np.float32)
    # in units of this user's usual weight, so that a profile weighs the same beside stars and beside clicks
    weights = taste.weights / np.abs(taste.weights).mean()
    return np.asarray(rows.T @ weights, dtype=np.float32)


_NO_COLUMNS: Ints = np.empty(0, dtype=np.int64)


def _columns_by_value(terms: list[str]) -> dict[str, Ints]:
    """Columns of the feature terms ("skills=python") by their casefolded value ("python"); plain words have none."""
    places: dict[str, list[int]] = {}
    for column, term in enumerate(terms):
        _, is_feature, value = term.partition("=")
        if is_feature:
            places.setdefault(value.casefold(), []).append(column)
    return {value: np.array(columns, dtype=np.int64) for value, columns in places.items()}
