"""A creator's report: figures of their own posts, from recorded interactions and shown lists.

Counts are of whole weeks that end now, and of the same number of weeks before. The creator's own actions do not count.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from sites.posts.engagement_counters import CATALOGUE
from sites.posts.models import Member, Post
from tandem.models import ImpressionItem, ItemKey, UserInteraction
from tandem.selectors.quarantined import counted
from tandem.use_cases import load

WEEKS = 4
MAX_WEEKS = 26
EVENTS = ("view", "like", "comment", "bookmark", "share")


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of one post or several: events by name, and results of shown lists."""

    events: Mapping[str, int] = field(default_factory=dict)
    shown: int = 0  # positions on lists that were shown
    opened: int = 0  # of these positions, those that were clicked
    went_on: int = 0  # of those, where the reader then liked, commented, bookmarked or shared

    def __add__(self, other: "Figures") -> "Figures":
        events = Counter(self.events) + Counter(other.events)
        return Figures(events, self.shown + other.shown, self.opened + other.opened, self.went_on + other.went_on)

    def count(self, event: str) -> int:
        """Return how often that event happened."""
        return self.events.get(event, 0)

    @property
    def ctr(self) -> float | None:
        """Share of the shown positions that were opened; None if none was shown."""
        return self.opened / self.shown if self.shown else None

    def as_dict(self) -> dict[str, int | float | None]:
        """Return every event's count and the results; `ctr` has four decimals."""
        ctr = None if self.ctr is None else round(self.ctr, 4)
        events = {f"{event}s": self.count(event) for event in EVENTS}
        return {**events, "shown": self.shown, "opened": self.opened, "ctr": ctr, "went_on": self.went_on}


@dataclass(frozen=True, slots=True)
class Report:
    """One creator's posts and their figures in this span and in the one before it."""

    creator: Member
    weeks: int
    since: datetime
    until: datetime
    posts: tuple[Post, ...]
    now: Mapping[int, Figures]  # by post; every post has an entry
    before: Mapping[int, Figures]

    @property
    def total(self) -> Figures:
        """All posts together, in this span."""
        return sum(self.now.values(), Figures())

    @property
    def total_before(self) -> Figures:
        """All posts together, in the span before."""
        return sum(self.before.values(), Figures())


def report_of(creator: Member, *, weeks: int = WEEKS, now: datetime | None = None) -> Report:
    """Return the report of a creator's own posts; the number of queries does not depend on the number of posts."""
    until = now or timezone.now()
    since = until - timedelta(weeks=weeks)
    posts = tuple(creator.posts.filter(is_published=True, published_at__lte=until).order_by("-published_at", "-id"))
    keys = dict(
        ItemKey.objects.filter(catalogue__name=CATALOGUE, item_id__in=[str(post.pk) for post in posts]).values_list(
            "pk", "item_id"
        )
    )
    spans = ((since, until), (since - (until - since), since))
    now_figures, before_figures = (_figures(creator, keys, *span) for span in spans)
    none = {post.pk: Figures() for post in posts}
    return Report(creator, weeks, since, until, posts, none | now_figures, none | before_figures)


def _figures(creator: Member, keys: Mapping[int, str], since: datetime, until: datetime) -> dict[int, Figures]:
    events = counted(UserInteraction.objects.filter(item_id__in=keys, time__gte=since, time__lt=until, kind__name__in=EVENTS))
    others = events.exclude(user__user_id=str(creator.pk)).values_list("item_id", "kind__name")
    counts: dict[int, dict[str, int]] = {}
    for key, event, times in others.annotate(times=Count("pk")).order_by():
        counts.setdefault(key, {})[event] = times
    shown = _shown(creator, keys, since, until)
    return {int(keys[key]): Figures(counts.get(key, {}), *shown.get(key, (0, 0, 0))) for key in counts.keys() | shown.keys()}


def _shown(creator: Member, keys: Mapping[int, str], since: datetime, until: datetime) -> dict[int, tuple[int, int, int]]:
    """Return by item: positions shown, positions opened, and opened positions whose reader went on."""
    outcomes = load(CATALOGUE).outcomes
    answers = counted(UserInteraction.objects.filter(request_id=OuterRef("impression_id"), item_id=OuterRef("item_id")))
    shown = ImpressionItem.objects.filter(item_id__in=keys, impression__time__gte=since, impression__time__lt=until)
    shown = counted(shown, "impression__user_id")
    judged = shown.exclude(impression__user__user_id=str(creator.pk)).annotate(
        clicked=Exists(answers.filter(kind__name__in=outcomes.clicks)),
        converted=Exists(answers.filter(kind__name__in=outcomes.conversions)),
    )
    figures = judged.values("item_id").annotate(
        shown=Count("pk"),
        opened=Count("pk", filter=Q(clicked=True)),
        went_on=Count("pk", filter=Q(clicked=True, converted=True)),
    )
    return {row["item_id"]: (row["shown"], row["opened"], row["went_on"]) for row in figures.order_by()}
