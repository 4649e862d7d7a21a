"""/api/v1/shop/...: a customer's own cart, and which mails they receive."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from recommendation_service.domain.ids import clean_id
from recommendation_service.errors import NotFound
from sites.shop.models import Customer
from sites.shop.recommendation_sources import Shop
from sites.shop.serializers import (
    CartSerializer,
    MailPreferencesSerializer,
    OrderSerializer,
    PutInSerializer,
    UserQuerySerializer,
)
from sites.shop.services import carts
from sites.shop.services.mail_preferences import change_preferences, preferences_of
from sites.views import PrivateAPIView
from tandem.api.permissions import resolve_user_id
from tandem.api.views.base import PROBLEMS
from tandem.surfaces import bound_surface

WHOSE = UserQuerySerializer


class CustomerView(PrivateAPIView):
    """Endpoint of one customer's own data. `?user_id=` is whose; another customer's needs staff or a service's token."""

    def customer(self, request: Request) -> Customer:
        """Return the customer. Raises NotFound for an unknown one and for one that the visitor may not see."""
        query = UserQuerySerializer.parse(request)
        wanted = clean_id(query["user_id"], field="user_id") if "user_id" in query else None
        user_id = resolve_user_id(request.user, wanted, bound_surface(Shop.catalogue, "homepage"))
        customer = None if user_id is None else Shop.person(user_id)
        if not isinstance(customer, Customer):
            raise NotFound("there is no such customer")
        return customer


class CartView(CustomerView):
    """The customer's open cart."""

    @extend_schema(
        operation_id="shop_cart",
        summary="A customer's cart",
        parameters=[WHOSE],
        responses={200: CartSerializer, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """Return its lines."""
        return Response(_cart(self.customer(request)))


class CartLinesView(CustomerView):
    """Products to put into the cart."""

    @extend_schema(
        operation_id="shop_put_in_cart", summary="Put a product into the cart", parameters=[WHOSE], request=PutInSerializer,
        responses={201: CartSerializer, **PROBLEMS},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Return the cart afterwards; 422 for more pieces than the stock."""
        customer = self.customer(request)
        body = PutInSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        carts.put_in(customer=customer, **body.validated_data)
        return Response(_cart(customer), status=201)


class CartLineView(CustomerView):
    """One line of the cart."""

    @extend_schema(
        operation_id="shop_take_out_of_cart", summary="Take a product out of the cart", parameters=[WHOSE],
        responses={200: CartSerializer, **PROBLEMS},
    )  # fmt: skip
    def delete(self, request: Request, product_id: UUID) -> Response:
        """Return the cart afterwards; 404 for a product that is not in it."""
        customer = self.customer(request)
        carts.take_out(customer=customer, product_id=product_id)
        return Response(_cart(customer))


class CheckoutView(CustomerView):
    """Order of the cart."""

    @extend_schema(
        operation_id="shop_check_out", summary="Order what lies in the cart", parameters=[WHOSE], request=None,
        responses={201: OrderSerializer, **PROBLEMS},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Return the order; 422 for an empty cart and for products that are sold out."""
        order = carts.check_out(customer=self.customer(request))
        return Response(OrderSerializer(order).data, status=201)


class MailPreferencesView(CustomerView):
    """Which mails the customer receives."""

    @extend_schema(
        operation_id="shop_mail_preferences", summary="Which mails a customer receives", parameters=[WHOSE],
        responses={200: MailPreferencesSerializer, **PROBLEMS},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Return every kind, and whether the customer receives it."""
        return Response(MailPreferencesSerializer(preferences_of(customer=self.customer(request))).data)

    @extend_schema(
        operation_id="shop_change_mail_preferences", summary="Change which mails a customer receives", parameters=[WHOSE],
        request=MailPreferencesSerializer, responses={200: MailPreferencesSerializer, **PROBLEMS},
    )  # fmt: skip
    def put(self, request: Request) -> Response:
        """Return all kinds afterwards."""
        customer = self.customer(request)
        body = MailPreferencesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = change_preferences(customer=customer, wanted=body.validated_data)
        return Response(MailPreferencesSerializer(wanted).data)


def _cart(customer: Customer) -> dict[str, object]:
    return dict(CartSerializer(customer, context={"lines": carts.lines_of(customer=customer)}).data)
