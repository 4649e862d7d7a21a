"""JSON of the shop's endpoints."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.http import QueryDict
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from recommendation_service.errors import InvalidInput
from sites.serializers import RoundedField
from sites.shop.models import CartLine, Customer, EmailCampaign, Order, UserEmailPreference
from tandem.api.serializers import DigitsField, QuerySerializer, RelaxedSerializer, SkipSerializer, StrictSerializer
from tandem.selectors.statistics import Window

DEFAULT_DAYS, MAX_DAYS = 30, 400


class ProductSerializer(serializers.Serializer[Any]):
    """One recommended product: an entry of the list with the product as `item`, None if it cannot be read."""

    product_id = serializers.CharField(source="item_id")
    external_product_id = serializers.CharField(source="item.sku", default="", help_text="The shop's own number")
    name = serializers.CharField(source="item.name", default="")
    category = serializers.CharField(source="item.category", default="")
    price = serializers.FloatField(source="item.price", default=None, allow_null=True)
    image_url = serializers.URLField(source="item.image_url", default=None, allow_null=True)
    score = serializers.FloatField()
    position = serializers.IntegerField(min_value=1)
    reasons = serializers.ListField(child=serializers.CharField())
    parts = serializers.DictField(child=serializers.FloatField(), required=False, help_text="With explain only")

    def to_representation(self, instance: Any) -> Any:
        """Return the JSON; without a product the name is the title in the answer, and empty parts are left out."""
        row = super().to_representation(instance)
        row["name"] = row["name"] or instance["title"]
        if not row["parts"]:
            del row["parts"]
        return row


class ListSerializer(serializers.Serializer[Any]):
    """One list of recommended products."""

    request_id = serializers.UUIDField(help_text="Send it with the events that follow from this list")
    context = serializers.ChoiceField(["homepage", "product_page", "cart"])  # type: ignore[assignment]  # hides the base's property
    user_id = serializers.CharField(allow_null=True)
    generated_at = serializers.DateTimeField()
    method_used = serializers.CharField()
    degraded = serializers.BooleanField()
    degradation = SkipSerializer(many=True)
    relaxed = RelaxedSerializer(many=True)
    recommendations = ProductSerializer(many=True)


class CartLineSerializer(serializers.ModelSerializer[CartLine]):
    """One line of a cart."""

    product_id = serializers.CharField()
    external_product_id = serializers.CharField(source="product.sku")
    name = serializers.CharField(source="product.name")
    price = serializers.FloatField(source="product.price")
    quantity = serializers.IntegerField(min_value=1)  # without it, the limit in the schema differs between databases

    class Meta:
        """Keys of the endpoint."""

        model = CartLine
        fields = ("product_id", "external_product_id", "name", "price", "quantity")


class CartSerializer(serializers.ModelSerializer[Customer]):
    """A customer's open cart; its lines are in the context."""

    user_id = serializers.CharField(source="pk")
    lines = serializers.SerializerMethodField()
    total = serializers.SerializerMethodField()

    class Meta:
        """Keys of the endpoint."""

        model = Customer
        fields = ("user_id", "lines", "total")

    @extend_schema_field(CartLineSerializer(many=True))
    def get_lines(self, customer: Customer) -> Any:
        """Return the lines, the oldest first."""
        return CartLineSerializer(self.context["lines"], many=True).data

    def get_total(self, customer: Customer) -> float:
        """Return the price of all lines in euros."""
        return float(sum(line.product.price * line.quantity for line in self.context["lines"]))


class PutInSerializer(StrictSerializer):
    """A product to put into a cart."""

    product_id = serializers.UUIDField()
    quantity = serializers.IntegerField(min_value=1, max_value=100, default=1)
    request_id = serializers.UUIDField(required=False, allow_null=True, default=None, help_text="Of the list that showed it")


class OrderSerializer(serializers.ModelSerializer[Order]):
    """An order."""

    order_id = serializers.UUIDField(source="pk")
    user_id = serializers.CharField(source="customer_id")
    total = serializers.FloatField()
    lines = serializers.IntegerField(source="lines.count", min_value=1)

    class Meta:
        """Keys of the endpoint."""

        model = Order
        fields = ("order_id", "user_id", "total", "lines")


class MailPreferencesSerializer(StrictSerializer, serializers.ModelSerializer[UserEmailPreference]):
    """Which mails a customer receives."""

    class Meta:
        """One switch for each kind of mail, all of them required."""

        model = UserEmailPreference
        fields = tuple(EmailCampaign.Kind.values)
        extra_kwargs = {kind.value: {"required": True, "initial": None, "help_text": kind.label} for kind in EmailCampaign.Kind}


class WindowQuerySerializer(QuerySerializer):
    """The period of a report: the last `days`, or `from` a day `to` a day."""

    days = DigitsField(min_value=1, max_value=MAX_DAYS, required=False, help_text="The last days, today included (default 30)")
    to = serializers.DateField(required=False, help_text="Last day, included; today if you leave it out")

    def get_fields(self) -> dict[str, Any]:
        """Add `from`, which is a keyword of Python."""
        first = serializers.DateField(required=False, help_text="First day, such as 2026-11-01, instead of `days`")
        return super().get_fields() | {"from": first}

    @classmethod
    def window_of(cls, query: QueryDict, *, now: datetime) -> Window:
        """Return the period of a query string. Raises ValidationError that names the wrong parameter."""
        serializer = cls(data=query)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        if "from" not in values:
            if "to" in values:
                raise serializers.ValidationError({"to": "needs from too"})
            return Window.last(values.get("days", DEFAULT_DAYS), until=now)
        if "days" in values:
            raise serializers.ValidationError({"days": "use either days or from"})
        try:
            until = _midnight(values["to"]) + timedelta(days=1) if "to" in values else now
        except OverflowError as error:
            raise serializers.ValidationError({"to": "is too late"}) from error
        try:
            return Window(_midnight(values["from"]), until)
        except InvalidInput as error:
            raise serializers.ValidationError({"from": error.message}) from error


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


class WindowSerializer(serializers.Serializer[Any]):
    """The period of a report."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()


class FiguresSerializer(serializers.Serializer[Any]):
    """Results of the lists of a period, a surface or a method."""

    lists = serializers.IntegerField()
    shown = serializers.IntegerField(help_text="Items on those lists")
    clicks = serializers.IntegerField()
    conversions = serializers.IntegerField()
    ctr = RoundedField(help_text="Clicks per item shown")
    conversion_rate = RoundedField(help_text="Purchases per item shown")
    revenue = RoundedField(2, help_text="Of purchases that answer a shown list")


class NamedFiguresSerializer(FiguresSerializer):
    """Results of one surface or method."""

    name = serializers.CharField()
    share = RoundedField(help_text="Of all lists, 0 to 1")


class DayFiguresSerializer(FiguresSerializer):
    """Results of one day (UTC)."""

    day = serializers.DateField()


class PerformanceSerializer(serializers.Serializer[Any]):
    """Results in total, by surface, by method and by day."""

    window = WindowSerializer()
    totals = FiguresSerializer()
    by_surface = NamedFiguresSerializer(many=True)
    by_method = NamedFiguresSerializer(many=True)
    daily = DayFiguresSerializer(many=True)


class StepSerializer(serializers.Serializer[Any]):
    """One step of the funnel."""

    name = serializers.CharField()
    count = serializers.IntegerField(help_text="Shown items that reached this step or a later one")
    of_shown = serializers.FloatField()
    of_before = serializers.FloatField()


class FunnelSerializer(serializers.Serializer[Any]):
    """Steps from shown to bought."""

    window = WindowSerializer()
    steps = StepSerializer(many=True)
