"""What every door to a list has in common: whose list, how long, of which surface; and the answer in the path's own words."""

from collections.abc import Mapping
from typing import Any, ClassVar

import orjson
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendation_service.domain.query import DEFAULT_LIMIT
from recommendation_service.errors import NotFound
from tandem import identity, tokens
from tandem.api.authentication import scopes_of
from tandem.api.permissions import require_may_see
from tandem.api.query_params import USER, RecommendationQuery
from tandem.selectors.items import items_by_id
from tandem.services.recommend import recommend
from tandem.surfaces import BoundSurface, bound_surface

__all__ = ["USER", "ListView", "personal", "whose"]


class ListView(APIView):
    """One list under a path of a site's own. A site names use case and surface, and shapes the answer.

    `?user_id=` is whose list; without it the asker's own. Somebody else's needs staff or a service's token, and is
    "not found" to anybody else. An asker without an id of this site (a service, staff) gets the list of nobody in
    particular. Parameters are strict: 422 names the wrong one.
    """

    use_case: ClassVar[str] = ""
    surface: ClassVar[str] = ""
    limit_name: ClassVar[str] = "limit"
    default_limit: ClassVar[int] = DEFAULT_LIMIT
    extra: ClassVar[tuple[str, ...]] = ()  # further parameters that the path itself reads

    def item_ids(self, request: Request, bound: BoundSurface, user_id: str | None, **words: str) -> tuple[str, ...]:
        """The items that the list is about; none on a surface about a user. `words` are those of the path."""
        return ()

    def shaped(self, answer: dict[str, Any], items: Mapping[str, Any]) -> dict[str, Any]:
        """The answer in the path's own words; `items` are the site's rows of the shown items by id, as far as they exist."""
        raise NotImplementedError

    def get(self, request: Request, **words: str) -> HttpResponse:
        """The list as JSON, never to be kept by anything between here and the visitor."""
        bound = bound_surface(self.use_case, self.surface)
        query = RecommendationQuery(
            request._request.GET,
            facets=bound.facets,
            strategies=bound.surface.strategies,
            limit_name=self.limit_name,
            default_limit=self.default_limit,
            ignored=self.extra,
        ).validated()
        user_id = whose(request, query.user_id, bound)
        answer = recommend(
            use_case=self.use_case,
            surface=self.surface,
            user_id=user_id,
            item_ids=self.item_ids(request, bound, user_id, **words),
            **query.arguments,
        )
        shown = items_by_id(source=bound.source, item_ids=[item["item_id"] for item in answer["recommendations"]])
        return personal(self.shaped(answer, shown))


def whose(request: Request, wanted: str | None, bound: BoundSurface) -> str | None:
    """Whose list is asked for: `wanted` if the asker may see it, else their own id, or None where they have none here.

    Raises NotFound for an id that is not the asker's to see, and for an account without anybody here to show a list to.
    """
    if wanted is not None:
        require_may_see(request.user, wanted, catalogue=bound.catalogue)
        return wanted
    if tokens.ANY in scopes_of(request.user):
        return None
    own = next(iter(identity.user_ids_of(request.user, catalogue=bound.catalogue)), None)
    if own is not None:
        require_may_see(request.user, own, catalogue=bound.catalogue)
        return own
    if getattr(request.user, "is_staff", False) or bound.about != "user":
        return None
    raise NotFound("this account is linked to nobody here")


def personal(answer: dict[str, Any]) -> HttpResponse:
    """JSON that belongs to one visitor."""
    response = HttpResponse(orjson.dumps(answer), content_type="application/json")
    response["Cache-Control"] = "private, no-store"
    response["Vary"] = "Authorization, Cookie"
    return response
