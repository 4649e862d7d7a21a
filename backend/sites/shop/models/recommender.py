"""The recommender's own tables, `recommender_*`: vectors, abandoned carts, mails, daily statistics, and syncs.

`user_interactions` of the acceptance list is `tandem.UserInteraction`.
"""

import uuid

from django.db import models
from django.utils import timezone

from sites.shop.models.store import Cart, Customer, Order, Product
from tandem.vectors import VectorRow


class ProductEmbedding(VectorRow):
    """A product's text, and its vector (dimension 0: there is none yet)."""

    product = models.OneToOneField(Product, on_delete=models.CASCADE, primary_key=True, related_name="embedding")
    external_product_id = models.CharField(max_length=32, help_text="The shop's own number")
    name = models.CharField(max_length=120)
    category = models.CharField(max_length=40, db_index=True)
    price = models.DecimalField(max_digits=9, decimal_places=2)
    text = models.TextField(help_text="What is embedded: name, description, category and price range")
    is_available = models.BooleanField(default=True)
    synced_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Named as in the acceptance list."""

        db_table = "recommender_product_embeddings"

    def __str__(self) -> str:
        return self.name


class UserPreferenceEmbedding(VectorRow):
    """A customer's preferences, from their history. `is_stale`: there are newer events."""

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, primary_key=True, related_name="preference")
    top_categories = models.JSONField(default=list, help_text="[[category, weight], ...], the weightiest first")
    price_ranges = models.JSONField(default=list, help_text="[[price range, weight], ...], the weightiest first")
    interaction_count = models.PositiveIntegerField(default=0)
    is_stale = models.BooleanField(default=False, db_index=True)

    class Meta:
        """Named as in the acceptance list."""

        db_table = "recommender_user_preference_embeddings"

    def __str__(self) -> str:
        return f"{self.customer_id}"


class CartAbandonment(models.Model):
    """One abandoned cart; recovered when an order follows."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cart = models.OneToOneField(Cart, on_delete=models.CASCADE, related_name="abandonment")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    pieces = models.PositiveIntegerField(help_text="How many lay in it")
    value = models.DecimalField(max_digits=11, decimal_places=2, help_text="What they would have cost")
    left_at = models.DateTimeField(help_text="When the cart was last touched")
    detected_at = models.DateTimeField(default=timezone.now)
    order = models.ForeignKey(Order, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    recovered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Named as in the acceptance list."""

        db_table = "recommender_cart_abandonments"

    def __str__(self) -> str:
        return f"{self.id}"


class EmailCampaign(models.Model):
    """One mail to one customer for one occasion: never a second one for the same."""

    class Kind(models.TextChoices):
        """Kinds of mails; `UserEmailPreference` has a switch for each."""

        ABANDONED_CART = "abandoned_cart"
        WEEKLY_PICKS = "weekly_picks"

    class State(models.TextChoices):
        """Written before the mail is sent, so that a crash between the two never sends it twice."""

        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="mails")
    occasion = models.CharField(max_length=40, help_text="The abandonment's id, or the week")
    subject = models.CharField(max_length=160)
    state = models.CharField(max_length=8, choices=State.choices, default=State.SENDING)
    error = models.CharField(max_length=200, blank=True)
    request_id = models.UUIDField(null=True, blank=True, help_text="The recommended list that it shows")
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    clicked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Named as in the acceptance list; one mail per occasion."""

        db_table = "recommender_email_campaigns"
        constraints = [models.UniqueConstraint(fields=["kind", "customer", "occasion"], name="shop_one_mail")]

    def __str__(self) -> str:
        return f"{self.kind} {self.occasion}"


class UserEmailPreference(models.Model):
    """Which mails a customer receives. Without a row: all of them, as the shop's terms say."""

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, primary_key=True, related_name="mail_preference")
    abandoned_cart = models.BooleanField(default=True)
    weekly_picks = models.BooleanField(default=True)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Named as in the acceptance list."""

        db_table = "recommender_user_email_preferences"

    def __str__(self) -> str:
        return f"{self.customer_id}"


class RecommendationPerformance(models.Model):
    """Statistics of one surface and one day (UTC), as `measure_performance` last calculated them."""

    id = models.BigAutoField(primary_key=True)
    day = models.DateField()
    surface = models.CharField(max_length=40)
    impressions = models.PositiveIntegerField(help_text="Lists shown")
    shown = models.PositiveIntegerField(help_text="Items shown on them")
    clicks = models.PositiveIntegerField()
    conversions = models.PositiveIntegerField()
    ctr = models.FloatField(help_text="Clicks per item shown")
    conversion_rate = models.FloatField(help_text="Purchases per item shown")
    revenue = models.FloatField(help_text="Of purchases that answer a list of that day")
    measured_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Named as in the acceptance list."""

        db_table = "recommender_recommendation_performance"
        constraints = [models.UniqueConstraint(fields=["day", "surface"], name="shop_one_day")]
        ordering = ["-day", "surface"]

    def __str__(self) -> str:
        return f"{self.day} {self.surface}"


class SyncStatus(models.Model):
    """One run of a sync, and its progress, so that the next run continues if it failed."""

    class What(models.TextChoices):
        """The two halves of `sync_products`."""

        PRODUCTS = "products"
        EMBEDDINGS = "embeddings"

    class State(models.TextChoices):
        """Running, done, or failed with its error."""

        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.BigAutoField(primary_key=True)
    what = models.CharField(max_length=12, choices=What.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    cursor = models.CharField(max_length=64, blank=True, help_text="Id of the last product of the last finished batch")
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    batches = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    version = models.CharField(max_length=200, blank=True, help_text="Of the vectors that are copied")
    error = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Named as in the acceptance list; newest first."""

        db_table = "recommender_sync_status"
        ordering = ["-id"]
        verbose_name_plural = "sync status"

    def __str__(self) -> str:
        return f"{self.what} {self.state}"
