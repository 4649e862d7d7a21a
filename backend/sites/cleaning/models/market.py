"""Clients, cleaners, properties, jobs, bids, reviews and payments."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q, Value
from django.utils import timezone

from sites.base import Person

MARKS = [MinValueValidator(1), MaxValueValidator(10)]
HALF_A_CENT = Decimal("0.005")
NORTH = [MinValueValidator(-90.0), MaxValueValidator(90.0)]  # degrees
EAST = [MinValueValidator(-180.0), MaxValueValidator(180.0)]


class PropertyType(models.TextChoices):
    """Kinds of property."""

    APARTMENT = "apartment"
    HOUSE = "house"
    VILLA = "villa"
    OFFICE = "office"
    HOLIDAY_LET = "holiday_let", "Holiday let"


class Client(Person):
    """A person who posts jobs. `is_demo` lists them first on the page."""

    class Budget(models.TextChoices):
        """What decides for a client: the price (low), both (medium), or the quality of the cleaner (high)."""

        LOW = "low"
        MEDIUM = "medium"
        HIGH = "high"

    budget = models.CharField(max_length=6, choices=Budget.choices, default=Budget.MEDIUM)
    joined = models.DateField(default=timezone.localdate)


class Cleaner(Person):
    """A person who cleans, with a start location, an hourly rate and a weekly capacity."""

    class Tier(models.TextChoices):
        """How a synthetic cleaner was generated. Scoring must not read it."""

        PREMIUM = "premium"
        EXPERIENCED = "experienced"
        AVERAGE = "average"
        BUDGET = "budget"

    tier = models.CharField(
        max_length=11, choices=Tier.choices, blank=True, help_text="Of generated people; never read by scoring"
    )
    about = models.TextField(max_length=500, blank=True)
    latitude = models.FloatField(validators=NORTH)
    longitude = models.FloatField(validators=EAST)
    hourly_rate = models.DecimalField(max_digits=6, decimal_places=2, validators=[MinValueValidator(Decimal(1))])
    reach_km = models.PositiveSmallIntegerField(default=25, help_text="How far they travel")
    jobs_a_week = models.PositiveSmallIntegerField(default=10, validators=[MinValueValidator(1)])
    eco_friendly = models.BooleanField(default=False, help_text="Works with eco-friendly products")
    is_available = models.BooleanField(default=True, help_text="Switched off while they take no jobs")
    joined = models.DateField(default=timezone.localdate)


class Property(models.Model):
    """A property of a client."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="properties")
    kind = models.CharField(max_length=12, choices=PropertyType.choices, db_index=True)
    district = models.CharField(max_length=60)
    size_m2 = models.PositiveIntegerField(validators=[MinValueValidator(5), MaxValueValidator(5000)])
    latitude = models.FloatField(validators=NORTH)
    longitude = models.FloatField(validators=EAST)

    class Meta:
        """Irregular plural."""

        verbose_name_plural = "properties"

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.size_m2} m², {self.district}"


class CleaningJob(models.Model):
    """A cleaning job: open → bidding → accepted → confirmed → completed, or cancelled, or failed."""

    class Status(models.TextChoices):
        """`open` has no bids yet; `bidding` has some."""

        OPEN = "open"
        BIDDING = "bidding"
        ACCEPTED = "accepted"
        CONFIRMED = "confirmed"
        COMPLETED = "completed"
        CANCELLED = "cancelled"
        FAILED = "failed"

    OFFERED = (Status.OPEN, Status.BIDDING)  # cleaners may bid
    AGREED = (Status.ACCEPTED, Status.CONFIRMED)  # a cleaner is hired
    OVER = (Status.COMPLETED, Status.CANCELLED, Status.FAILED)

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="jobs")
    place = models.ForeignKey(Property, on_delete=models.CASCADE, related_name="jobs", help_text="The property")
    description = models.TextField(max_length=1000, blank=True)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.OPEN)
    eco_friendly = models.BooleanField(default=False, help_text="Only eco-friendly products")
    hours = models.DecimalField(max_digits=4, decimal_places=1, validators=[MinValueValidator(Decimal("0.5"))])
    budget = models.DecimalField(max_digits=8, decimal_places=2, validators=[MinValueValidator(Decimal(1))], help_text="€")
    posted_at = models.DateTimeField(default=timezone.now)
    wanted_for = models.DateTimeField()
    cleaner = models.ForeignKey(
        Cleaner, on_delete=models.SET_NULL, null=True, blank=True, related_name="jobs", help_text="Hired"
    )
    accepted_bid = models.OneToOneField("JobBid", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    accepted_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Completed, cancelled or failed")
    cancelled_by_cleaner = models.BooleanField(default=False)
    was_on_time = models.BooleanField(null=True, blank=True)
    photos = models.PositiveSmallIntegerField(default=0, help_text="That the cleaner took of the work done")

    class Meta:
        """Indexed for open jobs, a client's jobs, and a cleaner's jobs."""

        indexes = [
            models.Index("status", F("posted_at").desc(), name="cleaning_offered"),
            models.Index("client", F("posted_at").desc(), name="cleaning_own_jobs"),
            models.Index("cleaner", "status", "ended_at", name="cleaning_done"),
        ]
        ordering = ["-posted_at", "pk"]

    def __str__(self) -> str:
        return f"Job {self.pk}: {self.place}"


class JobBid(models.Model):
    """A cleaner's bid for a job. Mirrored as an interaction of the cleaner with the job."""

    class Status(models.TextChoices):
        """`pending` until the client decides, or the cleaner withdraws it."""

        PENDING = "pending"
        ACCEPTED = "accepted"
        REJECTED = "rejected"
        WITHDRAWN = "withdrawn"

    job = models.ForeignKey(CleaningJob, on_delete=models.CASCADE, related_name="bids")
    cleaner = models.ForeignKey(Cleaner, on_delete=models.CASCADE, related_name="bids")
    amount = models.DecimalField(max_digits=8, decimal_places=2, validators=[MinValueValidator(Decimal(1))], help_text="€")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.PENDING)
    message = models.CharField(max_length=300, blank=True)
    time = models.DateTimeField(default=timezone.now)
    request_id = models.UUIDField(null=True, blank=True, help_text="The shown list that led here")

    class Meta:
        """One bid per cleaner and job."""

        constraints = [models.UniqueConstraint(fields=["job", "cleaner"], name="cleaning_one_bid")]
        indexes = [models.Index("cleaner", F("time").desc(), name="cleaning_own_bids")]

    def __str__(self) -> str:
        return f"€{self.amount} for job {self.job_id}"


class Review(models.Model):
    """A client's marks of 1 to 10 for a completed job. Mirrored as an interaction of the client with the cleaner."""

    job = models.OneToOneField(CleaningJob, on_delete=models.CASCADE, related_name="review")
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="reviews")
    cleaner = models.ForeignKey(Cleaner, on_delete=models.CASCADE, related_name="reviews")
    overall = models.PositiveSmallIntegerField(validators=MARKS)
    quality = models.PositiveSmallIntegerField(validators=MARKS)
    communication = models.PositiveSmallIntegerField(validators=MARKS)
    professionalism = models.PositiveSmallIntegerField(validators=MARKS)
    timeliness = models.PositiveSmallIntegerField(validators=MARKS)
    comment = models.TextField(max_length=1000, blank=True)
    time = models.DateTimeField(default=timezone.now)

    class Meta:
        """Indexed for the newest reviews of a cleaner."""

        indexes = [models.Index("cleaner", F("time").desc(), name="cleaning_reviews")]

    def __str__(self) -> str:
        return f"{self.overall}/10 for job {self.job_id}"


class Payment(models.Model):
    """A payment as a provider records it: the amount, the platform's fee, and the payout to the cleaner."""

    class Status(models.TextChoices):
        """Names as Stripe has them."""

        REQUIRES_CAPTURE = "requires_capture"
        SUCCEEDED = "succeeded"
        REFUNDED = "refunded"

    job = models.OneToOneField(CleaningJob, on_delete=models.CASCADE, related_name="payment")
    reference = models.CharField(max_length=40, unique=True, help_text="Such as pi_3Nf0…; made up, nobody was charged")
    amount = models.DecimalField(max_digits=8, decimal_places=2)
    platform_fee = models.DecimalField(max_digits=8, decimal_places=2)
    payout = models.DecimalField(max_digits=8, decimal_places=2)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.REQUIRES_CAPTURE)
    time = models.DateTimeField(default=timezone.now)

    class Meta:
        """Fee and payout sum to the amount within half a cent, because as SQLite's floats 1.51 + 8.54 is not 10.05."""

        constraints = [
            models.CheckConstraint(
                condition=Q(
                    amount__gt=F("platform_fee") + F("payout") - Value(HALF_A_CENT),
                    amount__lt=F("platform_fee") + F("payout") + Value(HALF_A_CENT),
                ),
                name="cleaning_fee_and_payout",
            )
        ]

    def __str__(self) -> str:
        return self.reference
