"""/api/v1/shop/...: a customer's own cart, and which mails they receive."""

from functools import partial
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sites.serializers import UserQuerySerializer
from sites.shop.models import UserEmailPreference
from sites.shop.recommendation_sources import Shop
from sites.shop.serializers import CartSerializer, MailPreferencesSerializer, OrderSerializer, PutInSerializer
from sites.shop.services import carts
from sites.views import PersonAPIView
from tandem.api.views.base import PROBLEMS

schema = partial(extend_schema, parameters=[UserQuerySerializer])


class CartView(PersonAPIView):
    """The customer's open cart."""

    source = Shop

    @schema(operation_id="shop_cart", summary="A customer's cart", responses={200: CartSerializer, **PROBLEMS})
    def get(self, request: Request) -> Response:
        """Return its lines."""
        return self.cart()

    def cart(self, status: int = 200) -> Response:
        """Return the cart as it is now."""
        lines = carts.lines_of(customer=self.person)
        return Response(CartSerializer(self.person, context={"lines": lines}).data, status=status)


class CartLinesView(CartView):
    """Products to put into the cart."""

    http_method_names = ["post", "options"]

    @schema(
        operation_id="shop_put_in_cart", summary="Put a product into the cart", request=PutInSerializer,
        responses={201: CartSerializer, **PROBLEMS},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Return the cart afterwards; 422 for more pieces than the stock."""
        body = PutInSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        carts.put_in(customer=self.person, **body.validated_data)
        return self.cart(status=201)


class CartLineView(CartView):
    """One line of the cart."""

    http_method_names = ["delete", "options"]

    @schema(
        operation_id="shop_take_out_of_cart", summary="Take a product out of the cart",
        responses={200: CartSerializer, **PROBLEMS},
    )  # fmt: skip
    def delete(self, request: Request, product_id: UUID) -> Response:
        """Return the cart afterwards; 404 for a product that is not in it."""
        carts.take_out(customer=self.person, product_id=product_id)
        return self.cart()


class CheckoutView(PersonAPIView):
    """Order of the cart."""

    source = Shop

    @schema(
        operation_id="shop_check_out", summary="Order what lies in the cart", request=None,
        responses={201: OrderSerializer, **PROBLEMS},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Return the order; 422 for an empty cart and for products that are sold out."""
        return Response(OrderSerializer(carts.check_out(customer=self.person)).data, status=201)


PREFERENCES: dict[Any, Any] = {200: MailPreferencesSerializer, **PROBLEMS}


@extend_schema_view(
    get=schema(operation_id="shop_mail_preferences", summary="Which mails a customer receives", responses=PREFERENCES),
    put=schema(
        operation_id="shop_change_mail_preferences", summary="Change which mails a customer receives", responses=PREFERENCES
    ),
)
class MailPreferencesView(PersonAPIView, generics.RetrieveUpdateAPIView[UserEmailPreference]):
    """Which mails the customer receives."""

    source = Shop
    serializer_class = MailPreferencesSerializer
    http_method_names = ["get", "put", "head", "options"]

    def get_object(self) -> UserEmailPreference:
        """Return the stored preferences; without any a customer receives every kind."""
        stored = UserEmailPreference.objects.filter(pk=self.person.pk).first()
        return stored or UserEmailPreference(customer=self.person)

    def perform_update(self, serializer: serializers.BaseSerializer[Any]) -> None:
        """Store all kinds."""
        serializer.save(updated_at=timezone.now())
