"""What happened and what was shown. Integer keys inside; outside ids live in their own small tables."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone


class UserKey(models.Model):
    """An outside user id and its integer key. The only table that knows both, so erasing a row forgets the person."""

    id = models.BigAutoField(primary_key=True)
    user_id = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return self.user_id


class CatalogueKey(models.Model):
    """A catalogue's name and its small integer key."""

    id = models.SmallAutoField(primary_key=True)
    name = models.CharField(max_length=40, unique=True)

    def __str__(self) -> str:
        return self.name


class EventKey(models.Model):
    """An event's name and its small integer key."""

    id = models.SmallAutoField(primary_key=True)
    name = models.CharField(max_length=40, unique=True)

    def __str__(self) -> str:
        return self.name


class ItemKey(models.Model):
    """An outside item id within its catalogue, and its integer key. Rows stay when the item goes: the past happened."""

    id = models.BigAutoField(primary_key=True)
    catalogue = models.ForeignKey(CatalogueKey, on_delete=models.PROTECT)
    item_id = models.CharField(max_length=64)

    class Meta:
        """One key per catalogue and id."""

        constraints = [models.UniqueConstraint(fields=["catalogue", "item_id"], name="recs_item_once")]

    def __str__(self) -> str:
        return self.item_id


class UserInteraction(models.Model):
    """One thing a user did with one item. `event_id` makes it count exactly once, however often it is sent."""

    id = models.BigAutoField(primary_key=True)
    event_id = models.UUIDField(unique=True, default=uuid.uuid4)
    user = models.ForeignKey(UserKey, on_delete=models.CASCADE, db_index=False, related_name="interactions")
    item = models.ForeignKey(ItemKey, on_delete=models.CASCADE, related_name="+")
    catalogue = models.ForeignKey(CatalogueKey, on_delete=models.PROTECT, db_index=False, related_name="+")
    kind = models.ForeignKey(EventKey, on_delete=models.PROTECT, db_index=False, related_name="+")  # `event` would be event_id
    value = models.FloatField(null=True, blank=True)
    time = models.DateTimeField(default=timezone.now)
    request_id = models.UUIDField(null=True, blank=True)

    class Meta:
        """The index that one person's history needs, and the join to impressions where there is one."""

        indexes = [
            models.Index("user", "catalogue", models.F("time").desc(), name="recs_history"),
            models.Index("request_id", name="recs_answered", condition=Q(request_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.event_id}"


class Impression(models.Model):
    """One list that was shown: to one user, or to somebody unknown, such as around a product."""

    request_id = models.UUIDField(primary_key=True)
    user = models.ForeignKey(UserKey, on_delete=models.CASCADE, null=True, db_index=False, related_name="impressions")
    catalogue = models.ForeignKey(CatalogueKey, on_delete=models.PROTECT, db_index=False, related_name="+")
    use_case = models.CharField(max_length=40)
    surface = models.CharField(max_length=40)
    method_used = models.CharField(max_length=40)
    model_version = models.CharField(max_length=200, blank=True)
    degraded = models.BooleanField(default=False)
    degradation = models.JSONField(default=list, blank=True)
    probabilities = models.JSONField(default=dict, blank=True)  # engine -> chance of having gone first; {}: no chance played
    time = models.DateTimeField(default=timezone.now)

    class Meta:
        """Newest lists of one user first; by time for reports; and the newest of all for the admin."""

        indexes = [
            models.Index("user", models.F("time").desc(), name="recs_shown_to"),
            models.Index("use_case", "surface", "time", name="recs_shown_where"),
            models.Index(models.F("time").desc(), name="recs_shown_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id}"


class ImpressionItem(models.Model):
    """One item of a shown list, with its place and score."""

    id = models.BigAutoField(primary_key=True)
    impression = models.ForeignKey(Impression, on_delete=models.CASCADE, db_index=False, related_name="items")
    item = models.ForeignKey(ItemKey, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField()
    score = models.FloatField()
    parts = models.JSONField(default=dict, blank=True)  # engine -> its share; kept where a ranker learns from shown lists

    class Meta:
        """A place holds one item."""

        constraints = [models.UniqueConstraint(fields=["impression", "position"], name="recs_place_once")]

    def __str__(self) -> str:
        return f"{self.position}"


class Feedback(models.Model):
    """What a person said about a recommendation, in so many words or with one button."""

    class Verdict(models.TextChoices):
        """`hide` keeps the item out of this person's lists."""

        HELPFUL = "helpful"
        NOT_HELPFUL = "not_helpful"
        HIDE = "hide"

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(UserKey, on_delete=models.CASCADE, related_name="feedback")
    item = models.ForeignKey(ItemKey, on_delete=models.CASCADE, related_name="+")
    impression = models.ForeignKey(Impression, on_delete=models.SET_NULL, null=True, blank=True, related_name="feedback")
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    comment = models.TextField(blank=True, max_length=2000)
    time = models.DateTimeField(default=timezone.now)

    class Meta:
        """The newest verdict of a person on an item replaces the older one."""

        constraints = [models.UniqueConstraint(fields=["user", "item"], name="recs_one_verdict")]

    def __str__(self) -> str:
        return f"{self.verdict}"


class Run(models.Model):
    """Long work that somebody started in the background: who, what, since when, what it said, and how it ended."""

    class Status(models.TextChoices):
        """`running` until it ends; a run whose process is no more is `failed`."""

        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    what = models.CharField(max_length=40)
    use_case = models.CharField(max_length=40)
    by = models.CharField(max_length=150, blank=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.RUNNING)
    started = models.DateTimeField(default=timezone.now)
    ended = models.DateTimeField(null=True, blank=True)
    seen = models.DateTimeField(default=timezone.now)  # its process says every few seconds that it is alive
    log = models.TextField(blank=True)

    class Meta:
        """One run of a kind at a time; the newest first."""

        constraints = [
            models.UniqueConstraint(fields=["what", "use_case"], condition=Q(status="running"), name="recs_one_run"),
        ]
        indexes = [models.Index(models.F("started").desc(), name="recs_runs_newest")]

    def __str__(self) -> str:
        return f"{self.what} of {self.use_case}"
