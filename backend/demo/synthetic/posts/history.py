"""Seeded history of the blog: seventy days of views, likes, comments and bookmarks, some in answer to shown lists.

Members open the posts that interest them most, fresh posts a little more often, and like those that interest them most.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import numpy as np
from django.db.models import Model

from demo.synthetic.posts.members_and_posts import (
    SITE,
    VOCABULARY,
    Library,
    interest_of,
    make_library,
    make_members,
    sentence_fields,
)
from demo.synthetic.simulation import (
    ACTIVITY_SHARES,
    DAY_S,
    Floats,
    PersonSimulator,
    Rng,
    assign_demo_counts,
    best_rows,
    interaction_targets,
    stable_id,
)
from sites.posts.engagement_counters import COUNTED
from sites.posts.models import Bookmark, Comment, Like, Member, MemberAction, Post
from sites.posts.recommendation_sources import Posts
from tandem.event_sync import mirror_of
from tandem.services.bulk_load import Happened, Shown

WINDOW_DAYS = 70
COUNTED_SHARE = 0.97  # of the events; the others are dislikes
DEMO_COUNTS = (0, 3, 12, 40)
MIN_USERS, MIN_ITEMS = 40, 60
MAX_BUSY = 220  # counted interactions of one member
SESSION_LENGTH = 5  # posts opened in one session
LIST_LENGTH = 12
LIST_SHARE = 0.3  # of the sessions begin with a shown list
FRESH_BONUS = 1.2
FOLLOW_UPS = {"like": 0.5, "comment": 0.14, "bookmark": 0.2, "share": 0.06}  # probability after a view of a fitting post
DISLIKE_SHARE = 0.05
REPLY_SHARE = 0.3
TABLES: dict[str, type[MemberAction]] = {"like": Like, "bookmark": Bookmark, "comment": Comment}


class Action(NamedTuple):
    """One action before it has an id; `member` and `post` are indices."""

    time: datetime
    member: int
    post: int
    event: str
    request_id: UUID | None = None


@dataclass(slots=True)
class PostsHistory:
    """All rows to write; `counted` has the counted interactions of each member."""

    seed: int
    people: tuple[Member, ...]
    library: Library
    actions: list[Action] = field(default_factory=list)
    action_rows: dict[str, list[MemberAction]] = field(default_factory=lambda: {event: [] for event in TABLES})
    events: list[Happened] = field(default_factory=list)
    lists: list[Shown] = field(default_factory=list)
    counted: tuple[int, ...] = ()

    @property
    def rows(self) -> tuple[Sequence[Model], ...]:
        """Members, posts, likes, bookmarks and comments."""
        return (self.people, self.library.posts, *self.action_rows.values())

    @property
    def summary(self) -> dict[str, int]:
        """Counts for the command's report."""
        creators = sum(member.is_creator for member in self.people)
        return {"posts": len(self.library.posts), "members": len(self.people), "of them creators": creators}


def make_history(*, seed: int, users: int, items: int, events: int, until: datetime) -> PostsHistory:
    """Make `users` members, `items` posts and about `events` events that end before `until`."""
    rng = np.random.default_rng(seed)
    until = until.astimezone(UTC)
    people = make_members(rng, seed=seed, users=users)
    members = tuple(member for member, _ in people)
    library = make_library(rng, people, items=items, until=until)
    shares = ACTIVITY_SHARES.values()
    targets = interaction_targets(rng, users, events * COUNTED_SHARE, shares, most=MAX_BUSY, spread=False)
    readers = [row for row, member in enumerate(members) if not member.is_creator]
    for row in assign_demo_counts(readers, targets, DEMO_COUNTS):
        members[row].is_demo = True
    interest = interest_of(library, [preferences for _, preferences in people])
    history = PostsHistory(seed, members, library)
    history.counted = tuple(_Reader(rng, history, row, interest[row], until).run(target) for row, target in enumerate(targets))
    history.actions.sort(key=lambda action: action[:4])
    _most_read(history).is_demo = True
    _set_counters(history)
    _write_events(rng, history)
    return history


class _Reader(PersonSimulator):
    """One member's sessions, spread over the window, until they have the wanted number of counted interactions."""

    half_interest = 2.6

    def __init__(self, rng: Rng, history: PostsHistory, row: int, interest: Floats, until: datetime) -> None:
        super().__init__(rng, interest)
        self.history, self.library, self.row, self.until = history, history.library, row, until
        self.member = history.people[row]
        published = np.array([post.is_published for post in self.library.posts])
        self.unread = published & (self.library.authors != row)

    def run(self, target: int) -> int:
        """Act until `target` interactions count; return how many do."""
        counted = 0
        sessions = max(1, round(target / (SESSION_LENGTH * 1.6)))
        for days_ago in self.rng.uniform(0.1, WINDOW_DAYS, size=sessions * 3):  # more than are needed; the last are not used
            if counted >= target:
                break
            counted += self._session(float(days_ago), target - counted)
        return counted

    def _session(self, days_ago: float, goal: int) -> int:
        """Open some posts, perhaps from a shown list; return the counted interactions."""
        age = self.library.ages_days - days_ago
        scores = self.interest + FRESH_BONUS * (age < 30) + self.noise()
        rows = best_rows(scores, self.unread & (age > 0.02), LIST_LENGTH)
        time = self.until - timedelta(seconds=int(days_ago * DAY_S))
        request_id = self._show(rows, scores, time) if self.happens(LIST_SHARE) else None
        counted = 0
        for step, post in enumerate(rows[:SESSION_LENGTH]):
            if counted >= goal:
                break
            self.unread[post] = False
            counted += self._read(post, time + timedelta(minutes=2 * step), goal - counted, request_id)
        return counted

    def _show(self, rows: list[int], scores: Floats, time: datetime) -> UUID:
        request_id = stable_id(SITE, self.history.seed, "list", len(self.history.lists))
        shown_scores = np.minimum.accumulate(1 / (1 + np.exp(-scores[rows] / 4)))
        keys = (str(self.library.posts[row].pk) for row in rows)
        items = tuple((key, round(float(score), 4)) for key, score in zip(keys, shown_scores, strict=True))
        method = "hybrid" if self.member.interests else "popular"
        self.history.lists.append(Shown(request_id, str(self.member.pk), "hybrid-recommendations", method, time, items))
        return request_id

    def _read(self, post: int, time: datetime, goal: int, request_id: UUID | None) -> int:
        """View a post and act on it if it appeals; return the counted interactions."""
        appeal = self.appeal(post)
        self.history.actions.append(Action(time, self.row, post, "view", request_id))
        counted = 1
        for step, (event, probability) in enumerate(FOLLOW_UPS.items(), start=1):
            if counted < goal and self.happens(probability * appeal):
                self.history.actions.append(Action(time + timedelta(seconds=20 * step), self.row, post, event, request_id))
                counted += 1
        if counted == 1 and self.happens(DISLIKE_SHARE * (1 - appeal)):
            self.history.actions.append(Action(time + timedelta(seconds=30), self.row, post, "dislike", request_id))
        return counted


def _most_read(history: PostsHistory) -> Member:
    """Return the creator with the most actions on their posts: their insights are the best to show first."""
    opened = Counter(history.library.posts[action.post].author_id for action in history.actions)
    creators = (member for member in history.people if member.is_creator)
    return max(creators, key=lambda member: (opened[member.pk], str(member.pk)))


def _set_counters(history: PostsHistory) -> None:
    """Set the counters that `engagement_counters.recount` would calculate."""
    counts = Counter((action.post, action.event) for action in history.actions)
    for row, post in enumerate(history.library.posts):
        for event, field_name in COUNTED.items():
            setattr(post, field_name, counts[row, event])


def _write_events(rng: Rng, history: PostsHistory) -> None:
    """Add the rows of the site's event tables, and all events. Events of a row have the id that the sync would give."""
    mirrors = {event: mirror_of(Posts, event, model) for event, model in TABLES.items()}
    threads: dict[int, Comment] = {}  # the newest first comment of a thread, by post
    for number, action in enumerate(history.actions):
        member, post = history.people[action.member], history.library.posts[action.post]
        event_id = stable_id(SITE, history.seed, "event", number)
        if action.event in TABLES:
            more = _comment(rng, post, threads.get(action.post)) if action.event == "comment" else {}
            row = TABLES[action.event](id=event_id, post=post, member=member, created_at=action.time, **more)
            if isinstance(row, Comment) and row.parent is None:
                threads[action.post] = row
            history.action_rows[action.event].append(row)
            event_id = mirrors[action.event].event_id(event_id)
        event = Happened(event_id, str(member.pk), str(post.pk), action.event, action.time, None, action.request_id)
        history.events.append(event)


def _comment(rng: Rng, post: Post, first: Comment | None) -> dict[str, object]:
    """Draw text and parent of a comment; `first` is the comment that it may reply to."""
    fields = sentence_fields(rng, post)
    parent = first if rng.random() < REPLY_SHARE else None
    return {"body": str(rng.choice(VOCABULARY.comments)).format(**fields), "parent": parent}
