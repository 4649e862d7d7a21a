"""A blog and community: posts of several types, members who read, write and comment, and discussions of insights."""

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.text import get_text_list

from sites.base import Person

ACCENT_COLOR = "#1f9cee"
FONT_SIZE = 14
FONT_SIZES = (10, 24)  # pixels: smaller cannot be read, larger breaks a phone's lines
is_color = RegexValidator(r"\A#[0-9a-fA-F]{6}\Z", "must be a colour such as #1f9cee: '#' and six hexadecimal digits")


class PostType(models.TextChoices):
    """Kind of a post; a list mixes them."""

    BLOG = "blog"
    TUTORIAL = "tutorial"
    QUESTION = "question"
    NEWS = "news"
    SHOWCASE = "showcase"


class Member(Person):
    """A member of the community. Creators write posts and see insights; colour and font size are of their own pages."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    interests = models.JSONField(default=list, blank=True, help_text="Categories and tags, such as python")
    accent_color = models.CharField(max_length=7, default=ACCENT_COLOR, validators=[is_color])
    font_size = models.PositiveSmallIntegerField(
        default=FONT_SIZE, validators=[MinValueValidator(FONT_SIZES[0]), MaxValueValidator(FONT_SIZES[1])], help_text="Pixels"
    )
    is_creator = models.BooleanField(default=False, db_index=True)

    def describe(self) -> str:
        """Such as "creator, interested in python and testing"."""
        liked = f"interested in {get_text_list(self.interests, 'and')}" if self.interests else ""
        return ", ".join(filter(None, ("creator" if self.is_creator else "member", liked)))


class PostManager(models.Manager[Any]):  # Any: the plugin of mypy ignores a manager of a class that is defined below
    """Reusable queries of posts."""

    def published(self) -> models.QuerySet["Post"]:
        """Return posts that are out now; a planned one is included from its time on."""
        return self.filter(is_published=True, published_at__lte=timezone.now())

    def categories_and_tags(self) -> list[str]:
        """Return the categories and tags of the newest 5,000 published posts, sorted."""
        rows = self.published().values_list("category", "tags")[:5_000]
        return sorted({name for category, tags in rows for name in (category, *tags)})


class Post(models.Model):
    """One post. The counts are copies: `engagement_counters.py` calculates them from the interactions."""

    type = models.CharField(max_length=12, choices=PostType.choices, default=PostType.BLOG)
    title = models.CharField(max_length=160)
    excerpt = models.CharField(max_length=300, blank=True)
    body = models.TextField(max_length=20_000)
    image = models.CharField(max_length=200, blank=True, help_text="Path under the media address, such as posts/x.jpg")
    category = models.CharField(max_length=40, db_index=True)
    tags = models.JSONField(default=list, blank=True, help_text="Such as testing")
    author = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="posts")
    published_at = models.DateTimeField(default=timezone.now, db_index=True)
    is_published = models.BooleanField(default=True)
    view_count = models.PositiveIntegerField(default=0, editable=False)
    like_count = models.PositiveIntegerField(default=0, editable=False)
    comment_count = models.PositiveIntegerField(default=0, editable=False)
    bookmark_count = models.PositiveIntegerField(default=0, editable=False)

    objects: ClassVar[PostManager] = PostManager()

    class Meta:
        """The newest first."""

        ordering = ["-published_at", "-id"]

    def __str__(self) -> str:
        return self.title

    @property
    def image_url(self) -> str:
        """URL path of the image, or "" if the post has none."""
        return f"{settings.MEDIA_URL}{self.image}" if self.image else ""


class MemberAction(models.Model):
    """Base of the site's event tables: a member's action on a post. Tandem syncs each row as an interaction."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="%(class)ss")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="%(class)ss")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """No table of its own."""

        abstract = True

    def __str__(self) -> str:
        return f"{self.member_id} {self.post_id}"


class Like(MemberAction):
    """A member likes a post, once."""

    class Meta:
        """A member and post have one row."""

        constraints = [models.UniqueConstraint(fields=["post", "member"], name="posts_like_once")]


class Bookmark(MemberAction):
    """A member bookmarks a post, once."""

    class Meta:
        """A member and post have one row."""

        constraints = [models.UniqueConstraint(fields=["post", "member"], name="posts_bookmark_once")]


class Comment(MemberAction):
    """A comment on a post, perhaps in reply to another comment."""

    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="replies")
    body = models.TextField(max_length=2000)

    class Meta:
        """The oldest first."""

        ordering = ["created_at", "id"]


class Discussion(models.Model):
    """A discussion of one insight, with its text and numbers at the time when it was opened."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    creator = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="discussions")
    insight = models.CharField(max_length=40)
    sentence = models.CharField(max_length=400)
    numbers = models.JSONField(default=dict)
    day = models.DateField()
    opened_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """One discussion per insight and day."""

        ordering = ["-opened_at"]
        constraints = [models.UniqueConstraint(fields=["creator", "insight", "day"], name="posts_one_talk_a_day")]

    def __str__(self) -> str:
        return self.sentence


class Note(models.Model):
    """One remark in a discussion: by its creator, or by staff."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    discussion = models.ForeignKey(Discussion, on_delete=models.CASCADE, related_name="notes")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    written_by = models.CharField(max_length=150)
    body = models.TextField(max_length=2000)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """The oldest first."""

        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.body[:40]
