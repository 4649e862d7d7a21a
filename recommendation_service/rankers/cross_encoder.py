"""The ranker that reads: a cross-encoder looks at a person's words and an item's words together.

The model lives in a process of its own (`serve_cross_encoder`), so that torch never enters the serving process.
"""

from typing import ClassVar

from recommendation_service.core.numeric import Floats
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates, Skip
from recommendation_service.publishing.store import Artifact
from recommendation_service.rankers.base import Ranker
from recommendation_service.rankers.pair_client import PairClient, client_of
from recommendation_service.settings import Settings

RECENT = 5  # liked things that make a query: more would not fit a reader's few hundred words
LONGEST = 1_000  # characters of a query or a document


class CrossEncoder(Ranker):
    """Scores of a worker that reads query and document together; it may be slow, so the budget is kept here."""

    label: ClassVar[str] = "the cross-encoder"

    def __init__(self, name: str, catalogue: Catalogue, client: PairClient) -> None:
        """Asks nobody yet: the worker may start later than the service."""
        super().__init__(name, "cross_encoder")
        self._catalogue = catalogue
        self._client = client

    def scores(self, query: Query, found: Candidates, *, budget_s: float) -> Floats | None:
        """(k,) float32, higher: suits the query better; None when nothing is known that could make a query.

        Raises TooLate when the budget is over, CannotAnswer when the worker is not there or not well.
        """
        asked = query_text(query)
        if not asked:
            return None
        pairs = [(asked, document_text(self._catalogue, row)) for row in found.rows.tolist()]
        return self._client.scores(pairs, budget_s=budget_s)


def from_settings(
    name: str, _artifact: Artifact | None, catalogue: Catalogue, settings: Settings
) -> CrossEncoder | Skip | None:
    """The ranker that CROSS_ENCODER_URL names; None when none is configured, and a Skip for a model without a worker."""
    if settings.cross_encoder_url:
        key = next(iter(settings.keys().items()), None)
        return CrossEncoder(name, catalogue, client_of(settings.cross_encoder_url, key))
    if settings.cross_encoder_model is None:
        return None
    told = "CROSS_ENCODER_MODEL is set and CROSS_ENCODER_URL is not; start serve_cross_encoder and set its address"
    return Skip(name, "unreachable", told)


def query_text(query: Query) -> str:
    """What is wanted, in words: what is being looked at or was liked lately, its categories, the profile; "": unknown."""
    liked, _ = query.history.liked()
    rows = (query.subject if query.subject.size else liked[:RECENT]).tolist()
    titles = [query.catalogue.titles[row] for row in rows]
    facet = query.catalogue.facets.get("category")
    kinds = [kind for row in rows for kind in facet.of(row)] if facet is not None else []
    said = [value for _, values in sorted(query.profile.items()) for value in values]
    return _joined([", ".join(dict.fromkeys(part)) for part in (titles, kinds, said)])


def document_text(catalogue: Catalogue, row: int) -> str:
    """An item in words: title, category, tags, and every other attribute, such as its price range, by name."""
    facets = {name: ", ".join(facet.of(row)) for name, facet in catalogue.facets.items()}
    plain = [facets.pop(name, "") for name in ("category", "tags")]
    named = [f"{name.replace('_', ' ')}: {values}" for name, values in sorted(facets.items()) if values]
    return _joined([catalogue.titles[row], *plain, *named])


def _joined(parts: list[str]) -> str:
    return ". ".join(part for part in parts if part)[:LONGEST]
