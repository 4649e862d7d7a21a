"""/api/v1/shop/...: a customer's own cart, and which mails they take."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recommendation_service.errors import InvalidInput, NotFound
from sites.shop.models import Customer
from sites.shop.recommendation_sources import Shop
from sites.shop.serializers import CartSerializer, MailPreferencesSerializer, OrderSerializer, PutInSerializer
from sites.shop.services import carts
from sites.shop.services.mail_preferences import change_preferences, preferences_of
from tandem.api import query_params
from tandem.api.views.lists import whose
from tandem.api.views.recommendations import PROBLEMS
from tandem.surfaces import bound_surface

USER = OpenApiParameter("user_id", str, description="Whose; your own when it is left out")


class CustomerView(APIView):
    """A door to one customer's own things. `?user_id=` is whose; somebody else's needs staff or a service's token."""

    def customer(self, request: Request) -> Customer:
        """The customer. Raises NotFound alike for an unknown one and for one that is not the asker's."""
        query = request._request.GET
        unknown = [name for name in query if name != "user_id"]
        if unknown:
            raise InvalidInput(
                "only user_id is a parameter here", fields={f"/{query_params.pointer(unknown[0][:64])}": "is not known"}
            )
        user_id = whose(request, query_params.one_id(query, "user_id"), bound_surface(Shop.catalogue, "homepage"))
        person = None if user_id is None else Shop.person(user_id)
        if person is None:
            raise NotFound("no such customer")
        return person  # type: ignore[no-any-return]  # the shop's people are customers

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Nothing here is to be kept between here and the customer."""
        done = super().finalize_response(request, response, *args, **kwargs)
        done["Cache-Control"], done["Vary"] = "private, no-store", "Authorization, Cookie"
        return done


class CartView(CustomerView):
    """The open cart."""

    @extend_schema(
        operation_id="shop_cart", summary="A customer's cart", parameters=[USER], responses={200: CartSerializer, **PROBLEMS}
    )
    def get(self, request: Request) -> Response:
        """What lies in it."""
        return Response(_cart(self.customer(request)))


class CartLinesView(CustomerView):
    """What is put in."""

    @extend_schema(
        operation_id="shop_put_in_cart", summary="Put a product into the cart", parameters=[USER], request=PutInSerializer,
        responses={201: CartSerializer, **PROBLEMS},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """The cart afterwards; 422 for more pieces than there are."""
        customer = self.customer(request)
        asked = PutInSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        carts.put_in(customer=customer, **asked.validated_data)
        return Response(_cart(customer), status=201)


class CartLineView(CustomerView):
    """What is taken out."""

    @extend_schema(
        operation_id="shop_take_out_of_cart", summary="Take a product out of the cart", parameters=[USER],
        responses={200: CartSerializer, **PROBLEMS},
    )  # fmt: skip
    def delete(self, request: Request, product_id: UUID) -> Response:
        """The cart afterwards; 404 for a product that does not lie there."""
        customer = self.customer(request)
        carts.take_out(customer=customer, product_id=product_id)
        return Response(_cart(customer))


class CheckoutView(CustomerView):
    """What is ordered."""

    @extend_schema(
        operation_id="shop_check_out", summary="Order what lies in the cart", parameters=[USER], request=None,
        responses={201: OrderSerializer, **PROBLEMS},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """The order; 422 for an empty cart and for what is sold out by now."""
        customer = self.customer(request)
        order = carts.check_out(customer=customer)
        told = {
            "order_id": str(order.pk),
            "user_id": str(customer.pk),
            "total": float(order.total),
            "lines": order.lines.count(),
        }
        return Response(told, status=201)


class MailPreferencesView(CustomerView):
    """Which mails one takes."""

    @extend_schema(
        operation_id="shop_mail_preferences", summary="Which mails a customer takes", parameters=[USER],
        responses={200: MailPreferencesSerializer, **PROBLEMS},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Every kind, and whether it is wanted."""
        return Response(preferences_of(customer=self.customer(request)))

    @extend_schema(
        operation_id="shop_change_mail_preferences", summary="Say which mails a customer takes", parameters=[USER],
        request=MailPreferencesSerializer, responses={200: MailPreferencesSerializer, **PROBLEMS},
    )  # fmt: skip
    def put(self, request: Request) -> Response:
        """All kinds as they are afterwards."""
        customer = self.customer(request)
        asked = MailPreferencesSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(change_preferences(customer=customer, wanted=asked.validated_data))


def _cart(customer: Customer) -> dict[str, Any]:
    lines = carts.lines_of(customer=customer)
    return {
        "user_id": str(customer.pk),
        "lines": [
            {
                "product_id": str(line.product_id),
                "external_product_id": line.product.sku,
                "name": line.product.name,
                "price": float(line.product.price),
                "quantity": line.quantity,
            }
            for line in lines
        ],
        "total": float(sum(line.product.price * line.quantity for line in lines)),
    }
