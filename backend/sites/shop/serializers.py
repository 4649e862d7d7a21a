"""The shapes of what the shop's doors take and give."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from sites.shop.models import EmailCampaign
from tandem.api.serializers import SkipSerializer


class Strict(serializers.Serializer[Any]):
    """Refuses keys that are not known."""

    def validate(self, attrs: Mapping[str, Any]) -> Any:
        """The values as they are, once every key is known."""
        unknown = sorted(set(self.initial_data) - set(self.fields))
        if unknown:
            raise serializers.ValidationError({name: f"is not known; known are {', '.join(self.fields)}" for name in unknown})
        return attrs


class ProductSerializer(serializers.Serializer[Any]):
    """One recommended product."""

    product_id = serializers.CharField()
    external_product_id = serializers.CharField(help_text="The shop's own number")
    name = serializers.CharField()
    category = serializers.CharField()
    price = serializers.FloatField(allow_null=True)
    image_url = serializers.URLField(allow_null=True)
    score = serializers.FloatField()
    position = serializers.IntegerField(min_value=1)
    reasons = serializers.ListField(child=serializers.CharField())
    parts = serializers.DictField(child=serializers.FloatField(), required=False, help_text="With explain only")


class ListSerializer(serializers.Serializer[Any]):
    """One list of recommended products."""

    recommendations = ProductSerializer(many=True)
    request_id = serializers.UUIDField(help_text="Send it back with what the customer then does")
    context = serializers.ChoiceField(["homepage", "product_page", "cart"])  # type: ignore[assignment]  # hides the base's property
    user_id = serializers.CharField(allow_null=True)
    generated_at = serializers.DateTimeField()
    method_used = serializers.CharField()
    degraded = serializers.BooleanField()
    degradation = SkipSerializer(many=True)


class CartLineSerializer(serializers.Serializer[Any]):
    """One line of a cart."""

    product_id = serializers.CharField()
    external_product_id = serializers.CharField()
    name = serializers.CharField()
    price = serializers.FloatField()
    quantity = serializers.IntegerField()


class CartSerializer(serializers.Serializer[Any]):
    """A customer's open cart."""

    user_id = serializers.CharField()
    lines = CartLineSerializer(many=True)
    total = serializers.FloatField()


class PutInSerializer(Strict):
    """What is put into a cart."""

    product_id = serializers.UUIDField()
    quantity = serializers.IntegerField(min_value=1, max_value=100, default=1)
    request_id = serializers.UUIDField(required=False, allow_null=True, default=None, help_text="Of the list that showed it")


class OrderSerializer(serializers.Serializer[Any]):
    """An order."""

    order_id = serializers.UUIDField()
    user_id = serializers.CharField()
    total = serializers.FloatField()
    lines = serializers.IntegerField(min_value=1)


class MailPreferencesSerializer(Strict):
    """Which mails a customer takes."""

    abandoned_cart = serializers.BooleanField(help_text=EmailCampaign.Kind.ABANDONED_CART.label)
    weekly_picks = serializers.BooleanField(help_text=EmailCampaign.Kind.WEEKLY_PICKS.label)


class WindowSerializer(serializers.Serializer[Any]):
    """The time that figures are of."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()


class FiguresSerializer(serializers.Serializer[Any]):
    """What came of the lists shown in some time, or on one surface."""

    lists = serializers.IntegerField()
    shown = serializers.IntegerField(help_text="Items on those lists")
    clicks = serializers.IntegerField()
    conversions = serializers.IntegerField()
    ctr = serializers.FloatField(help_text="Clicks per item shown")
    conversion_rate = serializers.FloatField(help_text="Purchases per item shown")
    revenue = serializers.FloatField(help_text="Of purchases that answer a shown list")


class NamedFiguresSerializer(FiguresSerializer):
    """The figures of one surface or method."""

    name = serializers.CharField()
    share = serializers.FloatField(help_text="Of all lists, 0 to 1")


class DayFiguresSerializer(FiguresSerializer):
    """The figures of one day of UTC."""

    day = serializers.DateField()


class PerformanceSerializer(serializers.Serializer[Any]):
    """How the recommendations did."""

    window = WindowSerializer()
    totals = FiguresSerializer()
    by_surface = NamedFiguresSerializer(many=True)
    by_method = NamedFiguresSerializer(many=True)
    daily = DayFiguresSerializer(many=True)


class StepSerializer(serializers.Serializer[Any]):
    """One step of the funnel."""

    name = serializers.CharField()
    count = serializers.IntegerField(help_text="Shown items that came so far or further")
    of_shown = serializers.FloatField()
    of_before = serializers.FloatField()


class FunnelSerializer(serializers.Serializer[Any]):
    """From being shown to being bought."""

    window = WindowSerializer()
    steps = StepSerializer(many=True)
