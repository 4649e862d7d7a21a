"""A seeded past for the blog: seventy days of views, likes, comments and bookmarks, a part of them answers to shown lists.

The same seed and end date give the same members, posts, events and lists. What is invented here follows a simple rule that
a reader can check: people open what suits their taste, fresh posts a little more, and like what suits them most.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import numpy as np

from demo.synthetic.posts.members_and_posts import (
    Chance,
    Floats,
    Library,
    Taste,
    make_library,
    make_members,
    pull_of,
    stable_id,
    words_of,
)
from sites.posts.engagement_counters import COUNTED
from sites.posts.models import Bookmark, Comment, Deed, Like, Member
from sites.posts.recommendation_sources import Posts
from sites.posts.vocabulary import REMARKS
from tandem.event_sync import mirror_of
from tandem.services.bulk_load import Happened, Shown

WINDOW_DAYS = 70
SHARES = {"none": 0.10, "few": 0.20, "some": 0.32}  # the rest is busy: 20 counted interactions or more
DEMO_COUNTS = (0, 3, 12, 40)
MIN_USERS, MIN_ITEMS = 40, 60
MAX_BUSY = 220
SESSION = 5  # posts opened at one sitting
SHOWN = 12
SHOWN_SHARE = 0.3  # sittings that begin with a shown list
FRESH_BONUS = 1.2
HALF_WARM = 2.6  # a post that pulls this much is liked after about every fourth view
FOLLOW_UPS = {"like": 0.5, "comment": 0.14, "bookmark": 0.2, "share": 0.06}  # chance after a view that suits fully
DISLIKED = 0.05
REPLY_SHARE = 0.3
TABLES: dict[str, type[Deed]] = {"like": Like, "bookmark": Bookmark, "comment": Comment}


class Happening(NamedTuple):
    """One event of the past before it has an id: places of member and post."""

    member: int
    post: int
    event: str
    time: datetime
    request_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """Everything that is to be written."""

    members: tuple[Member, ...]
    library: Library
    deeds: dict[str, list[Deed]]  # rows of the site's own event tables
    events: tuple[Happened, ...]
    lists: tuple[Shown, ...]
    counted: tuple[int, ...]  # counted interactions per member, in their order


def make_past(*, seed: int, users: int, items: int, events: int, until: datetime) -> Past:
    """`users` members, `items` posts and about `events` events that end before `until`."""
    rng = np.random.default_rng(seed)
    until = until.astimezone(UTC)
    people = make_members(rng, seed=seed, users=users)
    library = make_library(rng, people, items=items, until=until)
    targets = _targets(rng, [member for member, _ in people], events)
    walk = _Walk(rng, library, people, until, seed)
    counted = tuple(walk.do(place, target) for place, target in enumerate(targets))
    happenings = sorted(walk.events, key=lambda one: (one.time, one.member, one.post, one.event))
    members = tuple(member for member, _ in people)
    _most_read(members, library, happenings).is_demo = True
    _count(library, happenings)
    deeds, past = _written(rng, seed, members, library, happenings)
    return Past(members, library, deeds, past, tuple(walk.lists), counted)


def _targets(rng: Chance, members: list[Member], events: int) -> list[int]:
    """Counted interactions each member is to have; the busy ones share a heavy tail that adds up to `events`."""
    users = len(members)
    none, few, some = (round(share * users) for share in SHARES.values())
    busy = users - none - few - some
    tail = rng.pareto(1.6, size=busy) + 0.35
    left = max(0.0, events * 0.97 - few * 2.5 - some * 12 - busy * 20)
    extra = np.minimum(tail * left / tail.sum(), MAX_BUSY - 20)
    groups = [np.zeros(none), rng.integers(1, 5, size=few), rng.integers(5, 20, size=some), 20 + np.floor(extra)]
    targets = [int(count) for count in rng.permutation(np.concatenate(groups))]
    return _with_demo_members(members, targets)


def _with_demo_members(members: list[Member], targets: list[int]) -> list[int]:
    """One reader for each demo count, by swapping targets so that the shares stay about the same."""
    readers = [place for place, member in enumerate(members) if not member.is_creator]
    for place, wanted in zip(readers, DEMO_COUNTS, strict=False):
        members[place].is_demo = True
        other = next((at for at in readers[len(DEMO_COUNTS) :] if targets[at] == wanted), place)
        targets[other], targets[place] = targets[place], wanted
    return targets


class _Walk:
    """Members' ways through the library: sittings spread over the window, until each did what they were meant to."""

    def __init__(self, rng: Chance, library: Library, people: list[tuple[Member, Taste]], until: datetime, seed: int) -> None:
        self.rng, self.library, self.until, self.seed = rng, library, until, seed
        self.members = [member for member, _ in people]
        self.pull = pull_of(library, [taste for _, taste in people])
        self.open = np.array([post.is_published for post in library.posts])
        self.author = np.array([self.members.index(post.author) for post in library.posts])
        self.events: list[Happening] = []
        self.lists: list[Shown] = []

    def do(self, place: int, target: int) -> int:
        """Let one member act until `target` interactions count; gives how many did."""
        free = self.open & (self.author != place)  # nobody reads what they wrote
        counted = 0
        sittings = max(1, round(target / (SESSION * 1.6)))
        for start in self.rng.uniform(0.1, WINDOW_DAYS, size=sittings * 3):  # more than are needed; the last ones fall away
            if counted >= target:
                break
            counted += self._sit(place, float(start), free, target - counted)
        return counted

    def _sit(self, place: int, days_ago: float, free: np.ndarray, goal: int) -> int:
        """One sitting: some posts are opened, perhaps out of a list that was shown."""
        age = self.library.ages_days - days_ago
        may = free & (age > 0.02)
        draw = self.pull[place] + FRESH_BONUS * (age < 30) + self.rng.gumbel(size=age.size)
        best = np.argsort(np.where(may, -draw, np.inf), kind="stable")[:SHOWN]
        best = best[may[best]]
        time = self.until - timedelta(seconds=int(days_ago * 86_400))
        request = self._show(place, best, draw, time) if self.rng.random() < SHOWN_SHARE else None
        counted = 0
        for step, post in enumerate(best[:SESSION]):
            if counted >= goal:
                break
            free[post] = False
            counted += self._read(place, int(post), time + timedelta(minutes=2 * step), goal - counted, request)
        return counted

    def _show(self, place: int, best: np.ndarray, draw: Floats, time: datetime) -> UUID:
        """Remember the list that was shown: most of what follows answers it."""
        request = stable_id(self.seed, "list", len(self.lists))
        scores = np.minimum.accumulate(1 / (1 + np.exp(-draw[best] / 4)))
        order = self.library.posts
        shown = tuple((str(order[post].pk), round(float(score), 4)) for post, score in zip(best, scores, strict=True))
        member, method = self.members[place], "hybrid" if self.members[place].interests else "popular"
        self.lists.append(Shown(request, str(member.pk), "hybrid-recommendations", method, time, shown))
        return request

    def _read(self, place: int, post: int, time: datetime, goal: int, request: UUID | None) -> int:
        """A view, and what follows it when the post suits."""
        warm = 1 / (1 + np.exp(HALF_WARM - self.pull[place, post]))
        self.events.append(Happening(place, post, "view", time, request))
        counted = 1
        for step, (event, chance) in enumerate(FOLLOW_UPS.items(), start=1):
            if counted < goal and self.rng.random() < chance * warm:
                self.events.append(Happening(place, post, event, time + timedelta(seconds=20 * step), request))
                counted += 1
        if counted == 1 and self.rng.random() < DISLIKED * (1 - warm):
            self.events.append(Happening(place, post, "dislike", time + timedelta(seconds=30), request))
        return counted


def _most_read(members: Sequence[Member], library: Library, happenings: Sequence[Happening]) -> Member:
    """The creator whose posts were opened most: whose insights are worth looking at first."""
    opened = Counter(library.posts[one.post].author_id for one in happenings)
    return max((member for member in members if member.is_creator), key=lambda member: (opened[member.pk], str(member.pk)))


def _count(library: Library, happenings: Sequence[Happening]) -> None:
    """The counts that `engagement.recount` would find."""
    counts = Counter((one.post, one.event) for one in happenings)
    for place, post in enumerate(library.posts):
        for event, field in COUNTED.items():
            setattr(post, field, counts[place, event])


def _written(
    rng: Chance, seed: int, members: Sequence[Member], library: Library, happenings: Sequence[Happening]
) -> tuple[dict[str, list[Deed]], tuple[Happened, ...]]:
    """Rows of the site's event tables, and every event; a mirrored one has the id that the mirror would give it."""
    deeds: dict[str, list[Deed]] = {event: [] for event in TABLES}
    mirrors = {event: mirror_of(Posts, event, model) for event, model in TABLES.items()}
    remarks = _Remarks(rng, library)
    events = []
    for number, one in enumerate(happenings):
        member, post, identity = members[one.member], library.posts[one.post], stable_id(seed, "event", number)
        if one.event in TABLES:
            more = remarks.of(one.post) if one.event == "comment" else {}
            deed = TABLES[one.event](id=identity, post=post, member=member, created_at=one.time, **more)
            remarks.remember(one.post, deed)
            deeds[one.event].append(deed)
            identity = mirrors[one.event].event_id(identity)
        events.append(Happened(identity, str(member.pk), str(post.pk), one.event, one.time, None, one.request_id))
    return deeds, tuple(events)


class _Remarks:
    """What comments say; some reply to the one before them."""

    def __init__(self, rng: Chance, library: Library) -> None:
        self.rng, self.library = rng, library
        self.last: dict[int, Comment] = {}

    def of(self, post: int) -> dict[str, object]:
        """Body and parent of the next comment under a post."""
        words = words_of(self.rng, self.library.posts[post])
        parent = self.last.get(post) if self.rng.random() < REPLY_SHARE else None
        return {"body": str(self.rng.choice(REMARKS)).format(**words), "parent": parent}

    def remember(self, post: int, deed: Deed) -> None:
        """The newest first comment of a thread; replies stay one level deep."""
        if isinstance(deed, Comment) and deed.parent is None:
            self.last[post] = deed
