"""Content: items whose text, tags and attributes match what a user liked and the user's profile. TF-IDF rows."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import Bools, Floats, Ints, unit_rows
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Profile, Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.alignment import LikedItems, array, csr, item_count
from recommendation_service.engines.base import ModelEngine
from recommendation_service.engines.reason_texts import matches, most_similar
from recommendation_service.publishing.store import Artifact

PROFILE_COUNTS_AS = 3.0  # liked items, so that the weight of the profile fades as the history grows


@dataclass(frozen=True, slots=True, eq=False)
class Preferences:
    """The preferences of one query, as weights of terms."""

    of_profile: Floats  # (t,)
    of_liked: Floats  # (t,)
    liked: LikedItems  # those with terms
    liked_rows: sparse.csr_array  # (k, t) their terms


class Content(ModelEngine):
    """Cosine between an item's TF-IDF row and the sum of liked rows, minus disliked rows, plus the profile's terms."""

    label: ClassVar[str] = "content"
    min_score: ClassVar[float] = 0.0  # 0: nothing in common

    def __init__(
        self, name: str, artifact: Artifact, catalogue: Catalogue, *, profile_counts_as: float = PROFILE_COUNTS_AS
    ) -> None:
        """As of every ModelEngine, from a model of kind "content"; a profile weighs as much as that many liked items."""
        super().__init__(name, artifact, catalogue)
        terms = [term.decode() for term in array(artifact, "terms", (None,), kinds="S").tolist()]
        self._rows = csr(artifact, "indptr", "indices", "values", (item_count(artifact), len(terms)))  # unit rows
        self._columns = _columns_by_value(terms)
        self._described: Bools = np.asarray(np.diff(self._rows.indptr) > 0)  # False: without terms, so no prediction
        self._undescribed = np.flatnonzero(~self._described)
        self._profile_counts_as = profile_counts_as

    def score(self, basis: Preferences) -> Floats:
        """Return the cosine of each item, -1 to 1, 0 for an item with nothing in common."""
        scores = np.asarray(self._rows @ unit_rows(basis.of_profile + basis.of_liked), dtype=np.float32)
        scores[self._undescribed] = np.nan
        return scores

    def reasons(self, query: Query, basis: Preferences, rows: Ints, model_rows: Ints) -> list[tuple[Reason, ...]]:
        """Return what profile and item share, or the most similar liked item, by what adds more to the score."""
        terms = self._rows[np.maximum(model_rows, 0)]
        by_profile, by_liked = terms @ basis.of_profile, terms @ basis.of_liked
        likeness = np.maximum(basis.liked.weights, 0)[:, None] * (basis.liked_rows @ terms.T).toarray()  # dislikes: 0
        by_item = most_similar(self.name, self._catalogue, basis.liked, rows, likeness)
        reasons: list[tuple[Reason, ...]] = []
        for index, matched in enumerate(matches(self._catalogue, rows, query.profile)):
            if model_rows[index] < 0:
                reasons.append(())
            elif matched is not None and by_profile[index] > 0 and by_profile[index] >= by_liked[index]:
                reasons.append((Reason(self.name, matched, float(by_profile[index])),))
            else:
                reasons.append(by_item[index] if by_liked[index] > 0 else ())
        return reasons

    def read(self, query: Query) -> Preferences | None:
        """Return the terms of the profile and of the liked items; None without any.

        A request about an item ignores the profile: what is similar to the item is similar for every user.
        """
        of_profile = self._profile_terms({} if query.subject.size else query.profile)
        liked = self._alignment.known(LikedItems.of(query), self._described)
        rows = self._rows[self._alignment.artifact_rows[liked.rows]]
        of_liked = _weighted_terms(liked, rows)
        return Preferences(of_profile, of_liked, liked, rows) if of_profile.any() or of_liked.any() else None

    def _profile_terms(self, profile: Profile) -> Floats:
        terms = np.zeros(self._rows.shape[1], dtype=np.float32)
        for value in {value.casefold() for values in profile.values() for value in values}:
            terms[self._columns.get(value, _NO_COLUMNS)] = 1.0
        return np.float32(self._profile_counts_as) * unit_rows(terms)


def _weighted_terms(liked: LikedItems, rows: sparse.csr_array) -> Floats:
    """Return (t,), the sum of `rows` (k, t) by weight."""
    if not liked.rows.size:
        return np.zeros(rows.shape[1], dtype=np.float32)
    # in units of this user's mean weight, so that a profile weighs the same next to star ratings and next to clicks
    weights = liked.weights / np.abs(liked.weights).mean()
    return np.asarray(rows.T @ weights, dtype=np.float32)


_NO_COLUMNS: Ints = np.empty(0, dtype=np.int64)


def _columns_by_value(terms: list[str]) -> dict[str, Ints]:
    """Return the columns of feature terms ("skills=python") by their casefolded value ("python"); others have none."""
    columns: dict[str, list[int]] = {}
    for column, term in enumerate(terms):
        _, is_feature, value = term.partition("=")
        if is_feature:
            columns.setdefault(value.casefold(), []).append(column)
    return {value: np.array(numbers, dtype=np.int64) for value, numbers in columns.items()}
