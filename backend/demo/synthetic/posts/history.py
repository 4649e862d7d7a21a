"""Seeded history of the blog: seventy days of views, likes, comments and bookmarks, some in answer to shown lists.

Members open the posts that interest them most, fresh posts a little more often, and like those that interest them most.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import numpy as np

from demo.synthetic.posts.members_and_posts import (
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
    SiteHistory,
    assign_demo_counts,
    best_rows,
    interaction_targets,
)
from sites.posts.engagement_counters import COUNTED
from sites.posts.models import Comment, Member, Post
from sites.posts.recommendation_sources import Posts
from tandem.services.bulk_load import Shown

WINDOW_DAYS = 70
COUNTED_SHARE = 0.97  # of the events; the others are dislikes
DEMO_COUNTS = (0, 3, 12, 40)
MAX_BUSY = 220  # counted interactions of one member
SESSION_LENGTH = 5  # posts opened in one session
LIST_LENGTH = 12
LIST_SHARE = 0.3  # of the sessions begin with a shown list
FRESH_BONUS = 1.2
FOLLOW_UPS = {"like": 0.5, "comment": 0.14, "bookmark": 0.2, "share": 0.06}  # probability after a view of a fitting post
DISLIKE_SHARE = 0.05
REPLY_SHARE = 0.3


class Action(NamedTuple):
    """One action before it has an id; `member` and `post` are indices."""

    time: datetime
    member: int
    post: int
    event: str
    request_id: UUID | None = None


def make_history(*, seed: int, users: int, items: int, events: int, until: datetime) -> SiteHistory:
    """Make `users` members, `items` posts and about `events` events that end before `until`."""
    rng = np.random.default_rng(seed)
    until = until.astimezone(UTC)
    people = make_members(rng, seed=seed, users=users)
    members = [member for member, _ in people]
    library = make_library(rng, people, items=items, until=until)
    shares = ACTIVITY_SHARES.values()
    targets = interaction_targets(rng, users, events * COUNTED_SHARE, shares, most=MAX_BUSY, spread=False)
    readers = [row for row, member in enumerate(members) if not member.is_creator]
    for row in assign_demo_counts(readers, targets, DEMO_COUNTS):
        members[row].is_demo = True
    interest = interest_of(library, [preferences for _, preferences in people])
    history = SiteHistory(Posts, seed, items=library.posts, people=members)
    actions: list[Action] = []
    for row, target in enumerate(targets):
        reader = _Reader(rng, history, row, library, interest[row], until)
        reader.run(target)
        actions += reader.actions
    actions.sort(key=lambda action: action[:4])
    _most_read(history, actions).is_demo = True
    _set_counters(library, actions)
    _write_events(rng, history, actions)
    return history


class _Reader(PersonSimulator):
    """One member's sessions, spread over the window, until they have the wanted number of counted interactions."""

    half_interest = 2.6

    def __init__(self, rng: Rng, history: SiteHistory, row: int, library: Library, interest: Floats, until: datetime) -> None:
        super().__init__(rng, history, history.people[row], interest)
        self.library, self.row, self.until = library, row, until
        self.actions: list[Action] = []
        published = np.array([post.is_published for post in self.library.posts])
        self.unread = published & (self.library.authors != row)

    def run(self, target: int) -> None:
        """Act until `target` interactions count."""
        counted = 0
        sessions = max(1, round(target / (SESSION_LENGTH * 1.6)))
        for days_ago in self.rng.uniform(0.1, WINDOW_DAYS, size=sessions * 3):  # more than are needed; the last are not used
            if counted >= target:
                break
            counted += self._session(float(days_ago), target - counted)

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
        request_id = self.history.id("list", len(self.history.lists))
        shown_scores = np.minimum.accumulate(1 / (1 + np.exp(-scores[rows] / 4)))
        keys = (str(self.library.posts[row].pk) for row in rows)
        items = tuple((key, round(float(score), 4)) for key, score in zip(keys, shown_scores, strict=True))
        method = "hybrid" if self.person.interests else "popular"
        self.history.lists.append(Shown(request_id, str(self.person.pk), "hybrid-recommendations", method, time, items))
        return request_id

    def _read(self, post: int, time: datetime, goal: int, request_id: UUID | None) -> int:
        """View a post and act on it if it appeals; return the counted interactions."""
        appeal = self.appeal(post)
        self.actions.append(Action(time, self.row, post, "view", request_id))
        counted = 1
        for step, (event, probability) in enumerate(FOLLOW_UPS.items(), start=1):
            if counted < goal and self.happens(probability * appeal):
                self.actions.append(Action(time + timedelta(seconds=20 * step), self.row, post, event, request_id))
                counted += 1
        if counted == 1 and self.happens(DISLIKE_SHARE * (1 - appeal)):
            self.actions.append(Action(time + timedelta(seconds=30), self.row, post, "dislike", request_id))
        return counted


def _most_read(history: SiteHistory, actions: list[Action]) -> Member:
    """Return the creator with the most actions on their posts: their insights are the best to show first."""
    opened = Counter(history.items[action.post].author_id for action in actions)
    creators: list[Member] = [member for member in history.people if member.is_creator]
    return max(creators, key=lambda member: (opened[member.pk], str(member.pk)))


def _set_counters(library: Library, actions: list[Action]) -> None:
    """Set the counters that `engagement_counters.recount` would calculate."""
    counts = Counter((action.post, action.event) for action in actions)
    for row, post in enumerate(library.posts):
        for event, field_name in COUNTED.items():
            setattr(post, field_name, counts[row, event])


def _write_events(rng: Rng, history: SiteHistory, actions: list[Action]) -> None:
    """Add all events, with a row where the site has a table for the event."""
    threads: dict[int, Comment] = {}  # the newest first comment of a thread, by post
    for action in actions:
        member, post = history.people[action.member], history.items[action.post]
        if action.event not in Posts.events:
            history.record(member, action.post, action.event, action.time, action.request_id)
            continue
        more = _comment(rng, post, threads.get(action.post)) if action.event == "comment" else {}
        key = history.id("event", len(history.events))
        row = history.mirrors[action.event].model(id=key, post=post, member=member, created_at=action.time, **more)
        if isinstance(row, Comment) and row.parent is None:
            threads[action.post] = row
        history.add_event(action.event, row, action.request_id)


def _comment(rng: Rng, post: Post, first: Comment | None) -> dict[str, object]:
    """Draw text and parent of a comment; `first` is the comment that it may reply to."""
    fields = sentence_fields(rng, post)
    parent = first if rng.random() < REPLY_SHARE else None
    return {"body": str(rng.choice(VOCABULARY.comments)).format(**fields), "parent": parent}
