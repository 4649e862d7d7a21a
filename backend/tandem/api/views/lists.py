"""The base of endpoints that show a list."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import Error
from rest_framework.request import Request
from rest_framework.response import Response

from recommendation_service.domain.request import DEFAULT_LIMIT
from tandem.api.permissions import resolve_user_id
from tandem.api.serializers import USER, ListQuerySerializer
from tandem.api.views.base import TandemAPIView
from tandem.conf import tandem_settings
from tandem.selectors.items import items_by_id
from tandem.selectors.transactions import contained
from tandem.services.recommend import recommend
from tandem.surfaces import BoundSurface, bound_surface


class ListView(TandemAPIView):
    """One list under a path of the site. A site names use case and surface, and the JSON.

    `?user_id=` is whose list; the requester's own by default. Another user's list needs staff or a service's token, and is
    "not found" for others. A requester without a user id of this site (a service, staff) gets a list without a user.
    """

    use_case: ClassVar[str] = ""
    surface: ClassVar[str] = ""
    limit_name: ClassVar[str] = "limit"
    default_limit: ClassVar[int] = DEFAULT_LIMIT
    extra: ClassVar[tuple[str, ...]] = ()  # further parameters, which the view reads itself

    database_answered = True  # False: `items` of `shaped` is empty for that reason

    def database_seconds(self, request: Any) -> float:
        """Return the seconds of a list."""
        return tandem_settings().database_deadline_s

    def item_ids(self, request: Request, bound: BoundSurface, user_id: str | None, **kwargs: str) -> tuple[str, ...]:
        """Return the subjects of the list; none on a surface about a user. `kwargs` are those of the path."""
        return ()

    def shaped(self, answer: dict[str, Any], items: Mapping[str, Any]) -> dict[str, Any]:
        """Return the JSON of the answer; `items` has the site's rows of the shown items by id, as far as they exist."""
        raise NotImplementedError

    def get(self, request: Request, **kwargs: str) -> Response:
        """Return the list. Raises ValidationError that names a wrong parameter."""
        bound = bound_surface(self.use_case, self.surface)
        query = ListQuerySerializer.parse(
            request,
            bound=bound,
            limit_name=self.limit_name,
            default_limit=self.default_limit,
            other_parameters=self.extra,
        )
        user_id = resolve_user_id(request.user, query.pop(USER), bound)
        item_ids = self.item_ids(request, bound, user_id, **kwargs)
        answer = recommend(use_case=self.use_case, surface=self.surface, user_id=user_id, item_ids=item_ids, **query)
        items = items_of(bound, answer)
        self.database_answered = items is not None
        return Response(self.shaped(answer, items or {}))


def items_of(bound: BoundSurface, answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the site's rows of a list's items by id; None if the database does not answer."""
    try:
        with contained():
            return items_by_id(source=bound.source, item_ids=[item["item_id"] for item in answer["recommendations"]])
    except Error:
        return None
