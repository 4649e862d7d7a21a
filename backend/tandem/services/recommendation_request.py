"""One request for a list."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from recommendation_service.domain.query import Profile
from recommendation_service.domain.request import MAX_IDS, MAX_LIMIT, invalid_input
from recommendation_service.domain.request import RecommendationRequest as ServiceRequest
from recommendation_service.errors import InvalidInput
from tandem.selectors.history import UserHistory
from tandem.service_client.client import ServiceFailed
from tandem.surfaces import BoundSurface

SPARE = 10  # requested beyond the limit, because some items may be gone from the catalogue
SUBJECTS = {"item": "an item", "basket": "items", "context": "one of {catalogue}"}


@dataclass(frozen=True, slots=True)
class RecommendationRequest:
    """One call of `recommend`, with its surface."""

    bound: BoundSurface
    user_id: str | None
    limit: int
    filters: Profile
    explain: bool
    item_ids: tuple[str, ...] = ()  # the subjects of an item, basket or context surface
    strategy: str | None = None
    exclude: tuple[str, ...] = ()  # items that another list of the page shows
    include_seen: bool = False  # the user has seen everything: only disliked and hidden items stay out

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subjects that are items of the surface's own catalogue; a context is of another catalogue."""
        return () if self.bound.about == "context" else self.item_ids

    def require_valid(self) -> None:
        """Raise InvalidInput for a strategy that the surface does not offer, and for missing subjects."""
        bound, offered = self.bound, self.bound.surface.strategies
        if self.strategy is not None and self.strategy not in offered:
            message = f"must be one of {', '.join(offered)}" if offered else "is not offered here"
            raise InvalidInput(f"strategy {message}", fields={"/strategy": message})
        if bound.about != "user" and not self.item_ids:
            subjects = SUBJECTS[bound.about].format(catalogue=bound.surface.context)
            message = f"name at least one: '{bound.name}' is about {subjects}"
            raise InvalidInput(f"item_ids: {message}", fields={"/item_ids": message})

    def to_service(self, history: UserHistory) -> ServiceRequest:
        """Return the request to the service. What the database did not answer is None: the service then uses its last export.

        Raises ServiceFailed if the site's data does not fit the limits of a request.
        """
        try:
            return ServiceRequest(
                user_id=self.user_id,
                item_ids=self.item_ids,
                strategy=self.strategy,
                history=history.events if history.known else None,
                count=history.count,
                profile=None if history.profile is None else dict(history.profile),
                limit=min(self.limit + SPARE, MAX_LIMIT),
                needed=self.limit,
                filters=dict(self.filters),
                exclude=self._excluded(history),
                explain=self.explain or self.bound.keeps_parts,
                request_id=str(uuid.uuid4()),
            )
        except ValidationError as error:
            raise ServiceFailed("invalid_request", invalid_input(error).message) from error

    def _excluded(self, history: UserHistory) -> tuple[str, ...]:
        older = history.older if self.bound.leaves_out_seen else ()
        return (*self.exclude, *history.hidden, *older)[:MAX_IDS]

    def empty_answer(self, method: str, interaction_count: int = 0) -> dict[str, Any]:
        """Return an answer without items."""
        return {
            "request_id": str(uuid.uuid4()),
            "use_case": self.bound.use_case.name,
            "surface": self.bound.name,
            "user_id": self.user_id,
            "method_used": method,
            "degraded": True,
            "degradation": [],
            "model_version": "",
            "generated_at": datetime.now(UTC).isoformat(),
            "interaction_count": interaction_count,
            "probabilities": {},
            "stages": [],
            "relaxed": [],
            "recommendations": [],
        }

    def public(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer for the caller: with the parts of the scores only if an explanation was requested."""
        if self.explain or not self.bound.keeps_parts:
            return dict(answer)
        return {**answer, "stages": [], "recommendations": [{**item, "parts": {}} for item in answer["recommendations"]]}
