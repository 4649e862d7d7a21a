"""View base classes that the sites share: one person's own data, and lists under a site's own keys."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.utils.functional import cached_property
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request

from recommendation_service.domain.request import MAX_LIMIT
from recommendation_service.errors import NotFound
from sites.serializers import UserQuerySerializer
from storefront.permissions import is_demo
from tandem.api.permissions import resolve_user_id
from tandem.api.serializers import USER
from tandem.api.views.base import PROBLEMS, TandemAPIView
from tandem.api.views.lists import ListView
from tandem.api.views.recommendations import EXCLUDED
from tandem.sources import ItemSource, use_case_of
from tandem.surfaces import BoundSurface, bound_surface

WHO = OpenApiParameter(USER, str, description="Whose list, your own by default; others' for staff and services")
EXPLAIN = OpenApiParameter(
    "explain", OpenApiTypes.BOOL, description="Adds the parts of each score; in some lists also a `reason` for each item"
)


class PersonAPIView(TandemAPIView):
    """Endpoint of one person's own data. `?user_id=` is whose; another person's needs staff or a service's token.

    On a local demo anyone may name any person, as on its pages.
    """

    source: ClassVar[type[ItemSource]]
    query_serializer: ClassVar[type[UserQuerySerializer]] = UserQuerySerializer

    @cached_property
    def query(self) -> dict[str, Any]:
        """Return the validated query. Raises ValidationError."""
        return self.query_serializer.parse(self.request)

    @cached_property
    def person(self) -> Any:
        """Return the person. Raises NotFound for one that the visitor may not see."""
        user_id = self.query.get(USER)
        if user_id is None or not is_demo():
            surface = self.source.surface_for(self.source.profiles[0].model)
            user_id = resolve_user_id(self.request.user, user_id, bound_surface(use_case_of(self.source), surface))
        person = None if user_id is None else self.source.person(user_id)
        if person is None:
            raise NotFound("there is no person with that id, or you may not see them")
        return person


class SiteListView(ListView):
    """A list of a site, under the keys of the site's own serializer, which reads each item's row as `item`."""

    serializer_class: ClassVar[type[serializers.Serializer[Any]]]
    item_name: ClassVar[str] = ""  # of the item's id in the path; "" if the list is about a person
    keep_deleted: ClassVar[bool] = True  # entries whose item was deleted since, with None as `item`

    def item_ids(self, request: Request, bound: BoundSurface, user_id: str | None, **kwargs: str) -> tuple[str, ...]:
        """Return the item of the path, if the path has one."""
        return (bound.subject_source.spelled_item_id(kwargs[self.item_name], field=self.item_name),) if self.item_name else ()

    def shaped(self, answer: dict[str, Any], items: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer as the serializer makes it."""
        entries = [entry | {"item": items.get(entry["item_id"])} for entry in answer["recommendations"]]
        keeps_all = self.keep_deleted or not self.database_answered
        shown = [entry for entry in entries if keeps_all or entry["item"] is not None]
        context = {"view": self, "request": self.request}
        return dict(self.serializer_class(answer | {"recommendations": shown}, context=context).data)


def list_schema(
    operation_id: str, summary: str, *, description: str = "", parameters: tuple[OpenApiParameter, ...] = (WHO, EXPLAIN)
) -> Callable[[type[SiteListView]], type[SiteListView]]:
    """Return a class decorator that describes the list in the OpenAPI document."""

    def describe(view: type[SiteListView]) -> type[SiteListView]:
        limits = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": view.default_limit}
        limit = OpenApiParameter(view.limit_name, limits, description="Maximum number of items")
        path = [OpenApiParameter(view.item_name, str, OpenApiParameter.PATH)] if view.item_name else []
        schema = extend_schema(
            operation_id=operation_id,
            summary=summary,
            description=description or view.__doc__,
            parameters=[*path, limit, EXCLUDED, *parameters],
            responses={200: view.serializer_class, **PROBLEMS},
        )
        return extend_schema_view(get=schema)(view)

    return describe
