"""A recommendation service without a process, for the tests of a site.

    TANDEM = {"BACKEND": "tandem.testing.Fake"}   # in the settings of the tests

    from tandem.testing import fake_service

    def test_the_homepage_shows_the_list(client):
        with fake_service() as service:
            service.answer_with("for-you", [second.pk, first.pk])
            page = client.get("/")
        assert page.content.index(b"Second") < page.content.index(b"First")

Everything of Tandem in the site's process stays real: rules, visibility, cards, impressions, clicks and recorded events.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.conf import settings
from django.test.utils import override_settings

from recommendation_service.domain.ids import public_id
from recommendation_service.domain.request import EstimateRequest, RecommendationRequest
from tandem.selectors.items import id_of, items_by_id, matches, title_of
from tandem.service_client.client import RecommendationClient, ServiceAnswer, ServiceFailed, client, forget_client
from tandem.surfaces import bound_surface

METHOD = "fake"
STATE = "fake"


class Fake(RecommendationClient):
    """Answers in the process: the site's items in the order of their keys, or the items that a test names.

    Items that the user has an event with, excluded items and subjects are left out, and filters apply. No answer is random.
    """

    def __init__(self, url: str = "http://127.0.0.1:5000", **_options: Any) -> None:
        """`url` and the time limits are accepted and not used."""
        super().__init__(url)
        self.requests: list[RecommendationRequest] = []  # what Tandem has asked, in order
        self._lists: dict[str, list[str]] = {}
        self._fails_with = ""

    def answer_with(self, surface: str, items: Iterable[Any]) -> None:
        """Answer requests for this surface with these items, by key or id, in this order."""
        self._lists[surface] = [public_id(str(item)) for item in items]

    def fail(self, code: str = "unreachable") -> None:
        """Fail from now on as the real service does with this code, such as unreachable: Tandem's fallback answers."""
        self._fails_with = code

    def recommend(
        self, request: RecommendationRequest, *, use_case: str, surface: str, as_service: bool = False
    ) -> ServiceAnswer:
        """Return the answer, as the real client does. Raises ServiceFailed after `fail`."""
        self._refuse()
        self.requests.append(request)
        chosen = list(islice(self._items(request, use_case, surface), request.limit))
        recommendations = [
            {"item_id": item_id, "title": title, "score": 1.0 / position, "position": position, "reasons": [], "parts": {}}
            for position, (item_id, title) in enumerate(chosen, start=1)
        ]
        answer: dict[str, Any] = {
            "request_id": request.request_id or "",
            "use_case": use_case,
            "surface": surface,
            "user_id": request.user_id,
            "method_used": METHOD,
            "degraded": False,
            "degradation": [],
            "model_version": STATE,
            "generated_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "interaction_count": request.count or 0,
            "probabilities": {},
            "stages": [],
            "recommendations": recommendations,
        }
        return ServiceAnswer(answer, STATE)

    def estimate(
        self, request: EstimateRequest, *, use_case: str, name: str, check: Callable[[bytes], dict[str, Any]]
    ) -> dict[str, Any]:
        """Raise ServiceFailed with the code not_trained: a fake has no model."""
        self._refuse()
        raise ServiceFailed("not_trained", "the fake service has no models")

    def state(self) -> str:
        """Return a state that never changes. Raises ServiceFailed after `fail`."""
        self._refuse()
        return STATE

    def models(self) -> list[dict[str, Any]]:
        """Return no models."""
        return []

    def _refuse(self) -> None:
        if self._fails_with:
            raise ServiceFailed(self._fails_with, "the fake service was told to fail")

    def _items(self, request: RecommendationRequest, use_case: str, surface: str) -> Iterator[tuple[str, str]]:
        if request.offers is not None:
            yield from ((offer.item_id, offer.title) for offer in request.offers)
            return
        source = bound_surface(use_case, surface).source
        left_out = {*request.exclude, *request.item_ids, *(event.item_id for event in request.history or ())}
        if surface in self._lists:
            named = items_by_id(source=source, item_ids=self._lists[surface])
            items: Iterable[Any] = (named[item_id] for item_id in self._lists[surface] if item_id in named)
        else:
            parts = (part.offered_to(request.user_id).order_by("pk") for part in source.parts())
            items = (item for rows in parts for item in rows.iterator(chunk_size=100))
        for item in items:
            item_id = id_of(source, item)
            if item_id not in left_out and matches(source=source, item=item, filters=request.filters):
                yield item_id, title_of(source=source, item=item)


@contextmanager
def fake_service() -> Iterator[Fake]:
    """Use a new fake service inside, whatever the settings say; no list is taken from the cache."""
    own = {**getattr(settings, "TANDEM", {}), "BACKEND": f"{__name__}.{Fake.__name__}", "CACHE_SECONDS": 0}
    forget_client()
    try:
        with override_settings(TANDEM=own):
            service = client()
            if not isinstance(service, Fake):
                raise TypeError(f"{type(service).__name__} is not the fake service")
            yield service
    finally:
        forget_client()
