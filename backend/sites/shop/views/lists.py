"""GET /api/v1/recommendations/...: the shop's four lists, in the words of its acceptance list."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from recommendation_service.domain.ids import clean_id
from recommendation_service.domain.query import MAX_LIMIT
from recommendation_service.errors import InvalidInput
from sites.shop.models import Product
from sites.shop.serializers import ListSerializer
from sites.shop.services.carts import product_ids_of
from tandem.api import query_params
from tandem.api.views.lists import ListView, whose
from tandem.api.views.recommendations import PROBLEMS
from tandem.surfaces import BoundSurface, bound_surface

Get = TypeVar("Get", bound=Callable[..., Any])
HOMEPAGE, PRODUCT, CART = "homepage", "product_page", "cart"
PRODUCTS = "product_ids"
MOST_PRODUCTS = 50
_USER = OpenApiParameter("user_id", str, description="Whose list; your own when it is left out")
_EXPLAIN = OpenApiParameter(
    "explain", OpenApiTypes.BOOL, description="Reasons are given either way; this fills in shares of the score"
)
_RANGE = OpenApiParameter("price_range", str, many=True, description="Any of these, such as 15 to 40")
_CATEGORY = OpenApiParameter("category", str, many=True, description="Any of these")


def _documented(operation: str, summary: str, limit: int, *more: OpenApiParameter) -> Callable[[Get], Get]:
    """What OpenAPI says of a list."""
    count = OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": limit})
    return extend_schema(
        operation_id=operation,
        summary=summary,
        description="Always answers: with the recommendation service down or late from the shop's own vectors, then with "
        "popular products; `degraded` says so. Products out of stock are never recommended.",
        parameters=[_USER, count, _EXPLAIN, _CATEGORY, _RANGE, *more],
        responses={200: ListSerializer, **PROBLEMS},
    )


class ShopListView(ListView):
    """One of the shop's lists."""

    use_case = "shop"
    context: ClassVar[str] = HOMEPAGE

    def shaped(self, answer: dict[str, Any], items: Mapping[str, Any]) -> dict[str, Any]:
        """The answer with the shop's own words for a product."""
        return {
            "request_id": answer["request_id"],
            "context": self.context,
            "user_id": answer["user_id"],
            "generated_at": answer["generated_at"],
            "method_used": answer["method_used"],
            "degraded": answer["degraded"],
            "degradation": answer["degradation"],
            "recommendations": [_told(item, items.get(item["item_id"])) for item in answer["recommendations"]],
        }


class HomepageView(ShopListView):
    """What suits one customer."""

    surface, default_limit = "homepage", 12

    @_documented("shop_homepage", "What suits a customer", 12)
    def get(self, request: Request, **words: str) -> HttpResponse:
        """The personal list."""
        return super().get(request, **words)


class _AboutProduct(ShopListView):
    context = PRODUCT

    def item_ids(self, request: Request, bound: BoundSurface, user_id: str | None, **words: str) -> tuple[str, ...]:
        """The product of the path."""
        return (clean_id(words["product_id"], field="product_id"),)


class SimilarView(_AboutProduct):
    """What is like one product, or goes with it."""

    surface, default_limit = "product", 8

    @_documented("shop_similar_products", "Products like one, or that go with it", 8)
    def get(self, request: Request, **words: str) -> HttpResponse:
        """404 for a product nobody knows, 410 for one that is sold no more."""
        return super().get(request, **words)


class BoughtTogetherView(_AboutProduct):
    """What is ordered together with one product."""

    surface, default_limit = "frequently-bought-together", 4

    @_documented("shop_bought_together", "Products that are ordered together with one", 4)
    def get(self, request: Request, **words: str) -> HttpResponse:
        """404 for a product nobody knows, 410 for one that is sold no more."""
        return super().get(request, **words)


class CartListView(ShopListView):
    """What goes with a whole cart. An empty cart gets what suits its customer."""

    surface, default_limit, context, extra = "cart", 8, CART, (PRODUCTS,)

    @_documented(
        "shop_cart_recommendations",
        "Products that go with a cart",
        8,
        OpenApiParameter(PRODUCTS, str, description="Ids with commas between; the customer's stored cart when left out"),
    )
    def get(self, request: Request, **words: str) -> HttpResponse:
        """As for any list; an empty cart is answered from the homepage's surface."""
        if not self.item_ids(request, bound_surface(self.use_case, self.surface), self._user(request), **words):
            self.surface = "homepage"  # type: ignore[misc]  # a view is made for each request
        return super().get(request, **words)

    def item_ids(self, request: Request, bound: BoundSurface, user_id: str | None, **words: str) -> tuple[str, ...]:
        """The products named, else those of the stored cart."""
        named = request._request.GET.getlist(PRODUCTS)
        if not named:
            return product_ids_of(user_id=user_id) if user_id is not None else ()
        ids = [part.strip() for text in named for part in text.split(",")]
        if len(ids) > MOST_PRODUCTS:
            told = f"names at most {MOST_PRODUCTS} products"
            raise InvalidInput(f"{PRODUCTS} {told}", fields={f"/{PRODUCTS}": told})
        return tuple(clean_id(one, field=PRODUCTS) for one in ids)

    def _user(self, request: Request) -> str | None:
        return whose(request, query_params.one_id(request._request.GET, "user_id"), bound_surface(self.use_case, self.surface))


def _told(item: Mapping[str, Any], product: Product | None) -> dict[str, Any]:
    """One product; what is unknown of it while the database is away is empty."""
    told = {
        "product_id": item["item_id"],
        "external_product_id": "" if product is None else product.sku,
        "name": item["title"] if product is None else product.name,
        "category": "" if product is None else product.category,
        "price": None if product is None else float(product.price),
        "image_url": None if product is None else product.image_url,
        "score": item["score"],
        "position": item["position"],
        "reasons": item["reasons"],
    }
    return {**told, "parts": item["parts"]} if item["parts"] else told
