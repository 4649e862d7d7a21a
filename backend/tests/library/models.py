"""A site whose event tables have the shapes that real sites have. Its tables exist in tests only."""

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models


class Work(models.Model):
    """An item."""

    title = models.CharField(max_length=100)
    slug = models.CharField(max_length=255, blank=True)
    owner_group = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField(null=True)


class Film(models.Model):
    """An item of another kind, in the same list."""

    title = models.CharField(max_length=100)


class FilmLike(models.Model):
    """Of a film."""

    film = models.ForeignKey(Film, models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    created_at = models.DateTimeField()


class Story(models.Model):
    """An item that is a short or a long story; both have its keys."""

    title = models.CharField(max_length=100)


class ShortStory(Story):
    """One kind."""


class LongStory(Story):
    """Another kind."""


class StoryView(models.Model):
    """Of either kind."""

    story = models.ForeignKey(Story, models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    created_at = models.DateTimeField()


class Seen(models.Model):
    """Of a work or a film, one column for each."""

    work = models.ForeignKey(Work, models.CASCADE, null=True)
    film = models.ForeignKey(Film, models.CASCADE, null=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    created_at = models.DateTimeField()


class Page(models.Model):
    """An item whose key is a path."""

    path = models.CharField(max_length=255, primary_key=True)
    title = models.CharField(max_length=100)


class Edition(models.Model):
    """What is lent; the item is its work."""

    parent_work = models.ForeignKey(Work, models.CASCADE)


class Person(models.Model):
    """A reader, with a many-to-many field."""

    account = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="reader")
    saved = models.ManyToManyField(Work)
    tagged = models.ManyToManyField(Work, through="Tagging", related_name="+")


class Tagging(models.Model):
    """A table between people and works that the site wrote itself."""

    person = models.ForeignKey(Person, models.CASCADE)
    work = models.ForeignKey(Work, models.CASCADE)
    created_at = models.DateTimeField(null=True)


class Order(models.Model):
    """Its user is NULL for an anonymous order, and after the user is deleted."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    date_placed = models.DateTimeField()
    status = models.CharField(max_length=20, default="paid")


class OrderLine(models.Model):
    """The user and the time are one relation away."""

    order = models.ForeignKey(Order, models.CASCADE)
    work = models.ForeignKey(Work, models.SET_NULL, null=True)
    price = models.DecimalField(max_digits=8, decimal_places=2, default=10)


class Loan(models.Model):
    """The item is one relation away, and the time is a date."""

    edition = models.ForeignKey(Edition, models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    day = models.DateField()


class Shelf(models.Model):
    """What a person does with the books on it."""

    identifier = models.CharField(max_length=20)


class ShelfBook(models.Model):
    """Several events in one table; the time is a number of milliseconds."""

    shelf = models.ForeignKey(Shelf, models.CASCADE)
    edition = models.ForeignKey(Edition, models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    added_ms = models.BigIntegerField()


class Vote(models.Model):
    """About anything; the time is text."""

    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.CharField(max_length=40)
    target = GenericForeignKey()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    voted = models.CharField(max_length=40)


class Review(models.Model):
    """A review that may have a rated subclass."""

    work = models.ForeignKey(Work, models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    published = models.DateTimeField()
    deleted = models.BooleanField(default=False)


class RatedReview(Review):
    """The subclass, with a decimal rating."""

    rating = models.DecimalField(max_digits=3, decimal_places=1)


class ReviewProxy(Review):
    """A proxy, as an admin page uses it."""

    class Meta:
        proxy = True


class ActiveLikes(models.Manager):  # type: ignore[type-arg]  # tests are not typed
    """Rows that are not deleted."""

    def get_queryset(self) -> models.QuerySet:  # type: ignore[type-arg]  # as above
        return super().get_queryset().filter(deleted_at=None)


class Like(models.Model):
    """Deleted softly, hidden by its manager, private by a flag."""

    work = models.ForeignKey(Work, models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    deleted_at = models.DateTimeField(null=True)
    private = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    objects = ActiveLikes()
    everything = models.Manager()


class PageView(models.Model):
    """By a path as text."""

    page = models.ForeignKey(Page, models.CASCADE)
    visitor = models.CharField(max_length=255)
    time = models.DateTimeField()
