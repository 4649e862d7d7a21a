"""Interactions, impressions and feedback. Rows use integer keys; the site's own ids are in small key tables."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from tandem.fields import NewestFirst, UtcDateTimeField


class UserKey(models.Model):
    """A user id of the site and its integer key. No other table has the user id, so deleting the row erases the user."""

    id = models.BigAutoField(primary_key=True)
    user_id = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return self.user_id


class UserAlias(models.Model):
    """A user id whose history was merged into another user's: what is recorded under it is that user's."""

    merged_id = models.CharField(max_length=64, primary_key=True)
    user = models.ForeignKey(UserKey, on_delete=models.CASCADE, related_name="aliases")

    def __str__(self) -> str:
        return self.merged_id


class ErasedUser(models.Model):
    """An erased user id as a keyed hash, so that no later synchronization or import brings the user back."""

    hash = models.CharField(max_length=64, primary_key=True)
    time = UtcDateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.hash


class Quarantine(models.Model):
    """An account that acts like a bot: its events neither train nor count as popular, its own lists still work."""

    user = models.OneToOneField(UserKey, on_delete=models.CASCADE, primary_key=True, related_name="quarantine")
    reason = models.CharField(max_length=200)
    time = UtcDateTimeField(default=timezone.now)
    released = UtcDateTimeField(null=True, blank=True)  # by staff; the velocity check leaves a released account alone

    def __str__(self) -> str:
        return f"{self.user_id}"


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
    """An item id of the site within its catalogue, and its integer key. Rows stay when the site deletes the item."""

    id = models.BigAutoField(primary_key=True)
    catalogue = models.ForeignKey(CatalogueKey, on_delete=models.PROTECT)
    item_id = models.CharField(max_length=64)

    class Meta:
        """One key per catalogue and item id."""

        constraints = [models.UniqueConstraint(fields=["catalogue", "item_id"], name="tandem_item_unique")]

    def __str__(self) -> str:
        return self.item_id


class EventOrigin(models.Model):
    """A declared event table, "catalogue.name", and the small integer key of the interactions that mirror its rows."""

    id = models.SmallAutoField(primary_key=True)
    name = models.CharField(max_length=100, unique=True)

    def __str__(self) -> str:
        return self.name


class NotMirrored(models.Model):
    """How many rows of a declared event table are no interactions for one reason: since the last sync, and in it."""

    id = models.BigAutoField(primary_key=True)
    origin = models.ForeignKey(EventOrigin, on_delete=models.CASCADE, db_index=False, related_name="+")
    reason = models.CharField(max_length=200)
    rows = models.BigIntegerField()
    example = models.CharField(max_length=300)  # the last one
    time = UtcDateTimeField(default=timezone.now)

    class Meta:
        """One count per table and reason."""

        verbose_name_plural = "rows that are not mirrored"
        constraints = [models.UniqueConstraint(fields=["origin", "reason"], name="tandem_not_mirrored_unique")]

    def __str__(self) -> str:
        return f"{self.rows} with {self.reason}"


class UserInteraction(models.Model):
    """One event of a user with an item. It counts once per `event_id`, however often it is sent.

    `time` is when it happened, NULL if nobody knows. `id` ascends in the order in which events arrived.
    """

    id = models.BigAutoField(primary_key=True)
    event_id = models.UUIDField(unique=True, default=uuid.uuid4)
    user = models.ForeignKey(UserKey, on_delete=models.CASCADE, db_index=False, related_name="interactions")
    item = models.ForeignKey(ItemKey, on_delete=models.CASCADE, related_name="+")
    catalogue = models.ForeignKey(CatalogueKey, on_delete=models.PROTECT, db_index=False, related_name="+")
    kind = models.ForeignKey(
        EventKey, on_delete=models.PROTECT, db_index=False, related_name="+"
    )  # a field named `event` would clash with event_id
    value = models.FloatField(null=True, blank=True)
    time = UtcDateTimeField(default=timezone.now, null=True, blank=True)  # NULL: unknown, never now
    request_id = models.UUIDField(null=True, blank=True)
    origin = models.ForeignKey(  # NULL: not a row of the site's tables
        EventOrigin, on_delete=models.SET_NULL, null=True, blank=True, db_index=False, related_name="+", editable=False
    )

    class Meta:
        """Indexes for the history of one user, and for the join to impressions."""

        indexes = [
            models.Index("user", "catalogue", NewestFirst("time"), name="tandem_history"),
            models.Index("request_id", name="tandem_interaction_request", condition=Q(request_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.event_id}"


class Impression(models.Model):
    """One list that was shown to a user, or without a user, such as beside a product."""

    request_id = models.UUIDField(primary_key=True)
    user = models.ForeignKey(UserKey, on_delete=models.CASCADE, null=True, db_index=False, related_name="impressions")
    catalogue = models.ForeignKey(CatalogueKey, on_delete=models.PROTECT, db_index=False, related_name="+")
    use_case = models.CharField(max_length=40)
    surface = models.CharField(max_length=40)
    method_used = models.CharField(max_length=40)
    model_version = models.CharField(max_length=200, blank=True)
    degraded = models.BooleanField(default=False)
    degradation = models.JSONField(default=list, blank=True)
    probabilities = models.JSONField(
        default=dict, blank=True
    )  # engine -> probability of answering first; {}: the choice was not random
    time = UtcDateTimeField(default=timezone.now)

    class Meta:
        """Indexes for the newest lists of one user, for reports by time, and for the newest lists of all users."""

        indexes = [
            models.Index("user", models.F("time").desc(), name="tandem_impression_user"),
            models.Index("use_case", "surface", "time", name="tandem_impression_surface"),
            models.Index(models.F("time").desc(), name="tandem_impression_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id}"


class ImpressionItem(models.Model):
    """One item of a shown list, with its position and score."""

    id = models.BigAutoField(primary_key=True)
    impression = models.ForeignKey(Impression, on_delete=models.CASCADE, db_index=False, related_name="items")
    item = models.ForeignKey(ItemKey, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField()
    score = models.FloatField()
    parts = models.JSONField(
        default=dict, blank=True
    )  # engine -> its share of the score; stored where a ranker learns from shown lists

    class Meta:
        """One item per position."""

        constraints = [models.UniqueConstraint(fields=["impression", "position"], name="tandem_position_unique")]

    def __str__(self) -> str:
        return f"{self.position}"


class Feedback(models.Model):
    """A user's verdict about a recommendation, with an optional comment."""

    class Verdict(models.TextChoices):
        """`hide` removes the item from the user's lists."""

        HELPFUL = "helpful"
        NOT_HELPFUL = "not_helpful"
        HIDE = "hide"

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(UserKey, on_delete=models.CASCADE, related_name="feedback")
    item = models.ForeignKey(ItemKey, on_delete=models.CASCADE, related_name="+")
    impression = models.ForeignKey(Impression, on_delete=models.SET_NULL, null=True, blank=True, related_name="feedback")
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    comment = models.TextField(blank=True, max_length=2000)
    time = UtcDateTimeField(default=timezone.now)

    class Meta:
        """One verdict per user and item: a new one replaces the old one."""

        constraints = [models.UniqueConstraint(fields=["user", "item"], name="tandem_feedback_unique")]

    def __str__(self) -> str:
        return f"{self.verdict}"


class BackgroundJob(models.Model):
    """A background job: who started it, when, its output, and how it ended."""

    class Status(models.TextChoices):
        """`running` until the job ends; `failed` also if its process was killed."""

        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    what = models.CharField(max_length=40)
    use_case = models.CharField(max_length=40)
    by = models.CharField(max_length=150, blank=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.RUNNING)
    started = UtcDateTimeField(default=timezone.now)
    ended = UtcDateTimeField(null=True, blank=True)
    seen = UtcDateTimeField(default=timezone.now)  # updated every few seconds while its process is alive
    log = models.TextField(blank=True)

    class Meta:
        """At most one running job per kind and use case; an index for the newest jobs."""

        constraints = [
            models.UniqueConstraint(
                fields=["what", "use_case"], condition=Q(status="running"), name="tandem_job_running_unique"
            ),
        ]
        indexes = [models.Index(models.F("started").desc(), name="tandem_job_newest")]

    def __str__(self) -> str:
        return f"{self.what} of {self.use_case}"
