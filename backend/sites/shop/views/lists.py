"""GET /api/v1/recommendations/...: the shop's four lists."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from recommendation_service.domain.ids import clean_id
from recommendation_service.domain.query import MAX_LIMIT
from recommendation_service.errors import InvalidInput
from sites.shop.serializers import ListSerializer
from sites.shop.services.carts import product_ids_of
from tandem.api.permissions import resolve_user_id
from tandem.api.views.base import PROBLEMS
from tandem.api.views.lists import ListView
from tandem.surfaces import BoundSurface, bound_surface

Get = TypeVar("Get", bound=Callable[..., Any])
HOMEPAGE, PRODUCT, CART = "homepage", "product_page", "cart"
PRODUCTS = "product_ids"
MAX_PRODUCTS = 50
_USER = OpenApiParameter("user_id", str, description="Whose list; your own if you leave it out")
_EXPLAIN = OpenApiParameter(
    "explain", OpenApiTypes.BOOL, description="Adds the parts of each score; reasons are always included"
)
_RANGE = OpenApiParameter("price_range", str, many=True, description="Any of these, such as 15 to 40")
_CATEGORY = OpenApiParameter("category", str, many=True, description="Any of these")


def _documented(operation: str, summary: str, limit: int, *more: OpenApiParameter) -> Callable[[Get], Get]:
    """Describe a list in the OpenAPI document."""
    count = OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": limit})
    return extend_schema(
        operation_id=operation,
        summary=summary,
        description="Always answers: without the recommendation service from the shop's own vectors, then with popular "
        "products; `degraded` is true then. Products out of stock are never recommended.",
        parameters=[_USER, count, _EXPLAIN, _CATEGORY, _RANGE, *more],
        responses={200: ListSerializer, **PROBLEMS},
    )


class ShopListView(ListView):
    """One of the shop's lists."""

    use_case = "shop"
    context: ClassVar[str] = HOMEPAGE

    def shaped(self, answer: dict[str, Any], items: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer under the keys of the acceptance list."""
        entries = [entry | {"item": items.get(entry["item_id"])} for entry in answer["recommendations"]]
        return dict(ListSerializer(answer | {"context": self.context, "recommendations": entries}).data)


class HomepageView(ShopListView):
    """Products for one customer."""

    surface, default_limit = "homepage", 12

    @_documented("shop_homepage", "Products for a customer", 12)
    def get(self, request: Request, **kwargs: str) -> Response:
        """Return the personal list."""
        return super().get(request, **kwargs)


class _AboutProduct(ShopListView):
    context = PRODUCT

    def item_ids(self, request: Request, bound: BoundSurface, user_id: str | None, **kwargs: str) -> tuple[str, ...]:
        """Return the product of the path."""
        return (clean_id(kwargs["product_id"], field="product_id"),)


class SimilarView(_AboutProduct):
    """Products similar to one product, or bought with it."""

    surface, default_limit = "product", 8

    @_documented("shop_similar_products", "Products similar to one, or bought with it", 8)
    def get(self, request: Request, **kwargs: str) -> Response:
        """Return the list; 404 for an unknown product, 410 for one that is no longer sold."""
        return super().get(request, **kwargs)


class BoughtTogetherView(_AboutProduct):
    """Products that are ordered together with one product."""

    surface, default_limit = "frequently-bought-together", 4

    @_documented("shop_bought_together", "Products that are ordered together with one", 4)
    def get(self, request: Request, **kwargs: str) -> Response:
        """Return the list; 404 for an unknown product, 410 for one that is no longer sold."""
        return super().get(request, **kwargs)


class CartListView(ShopListView):
    """Products for a whole cart; for an empty cart, products for its customer."""

    surface, default_limit, context, extra = "cart", 8, CART, (PRODUCTS,)

    @_documented(
        "shop_cart_recommendations",
        "Products that go with a cart",
        8,
        OpenApiParameter(PRODUCTS, str, description="Ids separated by commas; the customer's stored cart if you leave it out"),
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        """Return the list; for an empty cart that of the homepage."""
        if not self.item_ids(request, bound_surface(self.use_case, self.surface), self._user(request), **kwargs):
            self.surface = "homepage"  # type: ignore[misc]  # each request has its own view object
        return super().get(request, **kwargs)

    def item_ids(self, request: Request, bound: BoundSurface, user_id: str | None, **kwargs: str) -> tuple[str, ...]:
        """Return the products of the query, else those of the stored cart."""
        values = request._request.GET.getlist(PRODUCTS)
        if not values:
            return product_ids_of(user_id=user_id) if user_id is not None else ()
        ids = [part.strip() for text in values for part in text.split(",")]
        if len(ids) > MAX_PRODUCTS:
            reason = f"has at most {MAX_PRODUCTS} products"
            raise InvalidInput(f"{PRODUCTS} {reason}", fields={f"/{PRODUCTS}": reason})
        return tuple(clean_id(item_id, field=PRODUCTS) for item_id in ids)

    def _user(self, request: Request) -> str | None:
        wanted = request.query_params.get("user_id")
        user_id = None if wanted is None else clean_id(wanted, field="user_id")
        return resolve_user_id(request.user, user_id, bound_surface(self.use_case, self.surface))
