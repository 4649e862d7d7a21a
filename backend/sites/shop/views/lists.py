"""GET /api/v1/recommendations/...: the shop's four lists."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from django.db import Error
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from recommendation_service.errors import InvalidInput
from sites.shop.serializers import ListSerializer
from sites.shop.services.carts import product_ids_of
from sites.views import EXPLAIN, WHO, SiteListView, list_schema
from tandem.api.permissions import resolve_user_id
from tandem.identity import spelled_user_id
from tandem.selectors.transactions import contained
from tandem.surfaces import BoundSurface, bound_surface

PRODUCTS = "product_ids"
MAX_PRODUCTS = 50
PARAMETERS = (
    WHO,
    EXPLAIN,
    OpenApiParameter("category", str, many=True, description="Any of these"),
    OpenApiParameter("price_range", str, many=True, description="Any of these, such as 15 to 40"),
)
shop_list = partial(
    list_schema,
    description="Always answers: without the recommendation service from the shop's own vectors, then with popular "
    "products; `degraded` is true then. Products out of stock are never recommended.",
    parameters=PARAMETERS,
)


class ShopListView(SiteListView):
    """One of the shop's lists."""

    use_case = "shop"
    context: ClassVar[str] = "homepage"
    serializer_class = ListSerializer

    def shaped(self, answer: dict[str, Any], items: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer with the page that shows it."""
        return super().shaped(answer | {"context": self.context}, items)


@shop_list("shop_homepage", "Products for a customer")
class HomepageView(ShopListView):
    """Products for one customer."""

    surface, default_limit = "homepage", 12


@shop_list("shop_similar_products", "Products similar to one, or bought with it")
class SimilarView(ShopListView):
    """Products similar to one product, or bought with it: 404 for an unknown product, 410 for one that is no longer sold."""

    surface, default_limit, context, item_name = "product", 8, "product_page", "product_id"


@shop_list("shop_bought_together", "Products that are ordered together with one")
class BoughtTogetherView(ShopListView):
    """Products that are ordered together with one product."""

    surface, default_limit, context, item_name = "frequently-bought-together", 4, "product_page", "product_id"


@shop_list(
    "shop_cart_recommendations",
    "Products that go with a cart",
    parameters=(
        *PARAMETERS,
        OpenApiParameter(PRODUCTS, str, description="Ids separated by commas; the customer's stored cart if you leave it out"),
    ),
)
class CartListView(ShopListView):
    """Products for a whole cart; for an empty cart, products for its customer."""

    surface, default_limit, context, extra = "cart", 8, "cart", (PRODUCTS,)

    def get(self, request: Request, **kwargs: str) -> Response:
        """Return the list; for an empty cart that of the homepage."""
        bound = bound_surface(self.use_case, self.surface)
        requested = request.query_params.get("user_id")
        user_id = None if requested is None else spelled_user_id(requested)
        if not self.item_ids(request, bound, resolve_user_id(request.user, user_id, bound)):
            self.surface = "homepage"  # type: ignore[misc]  # each request has its own view object
        return super().get(request, **kwargs)

    def item_ids(self, request: Request, bound: BoundSurface, user_id: str | None, **kwargs: Any) -> tuple[str, ...]:
        """Return the products of the query, else those of the stored cart."""
        values = request._request.GET.getlist(PRODUCTS)
        if not values:
            return _stored_cart(user_id) if user_id is not None else ()
        ids = [part.strip() for text in values for part in text.split(",")]
        if len(ids) > MAX_PRODUCTS:
            reason = f"has at most {MAX_PRODUCTS} products"
            raise InvalidInput(f"{PRODUCTS} {reason}", fields={f"/{PRODUCTS}": reason})
        return tuple(bound.source.spelled_item_id(item_id, field=PRODUCTS) for item_id in ids)


def _stored_cart(user_id: str) -> tuple[str, ...]:
    """Return the products of the customer's cart; () if the database does not answer, so the customer's own list is shown."""
    try:
        with contained():
            return tuple(product_ids_of(user_id=user_id))
    except Error:
        return ()
