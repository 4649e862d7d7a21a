"""A seeded past for the course platform: 150 days of visits, and the lists that four strategies showed in them.

The same seed and end date give the same courses, learners, lists and events. Which strategy made a list was drawn with
the chances that are recorded with it. How often its courses were clicked follows from what it showed and to whom, so
that there is something true to learn: `hybrid` knows the most, `popularity` the least.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np

from demo.synthetic.courses.preferences import DEMO, Chance, Floats, Shelf, make_learners, make_shelf, stable_id
from sites.courses.models import Completion, Enrolment, Learner
from sites.courses.recommendation_sources import Courses
from tandem.event_sync import mirror_of
from tandem.services.bulk_load import Happened, Shown

WINDOW_DAYS = 150
MIN_ITEMS, MIN_USERS = 60, 40
POLICY = {"two_tower": 0.2, "popularity": 0.2, "content": 0.2, "hybrid": 0.4}  # what each list was drawn with
LIST_SHARE = 0.32  # of the visits; in the others people browse
LIST_LENGTH = 8
EVENTS_A_VISIT = 2.4
MOST_VISITS = 90
NEWCOMERS = 0.1  # of the people have no past at all
DEMO_VISITS = {1: 6, 2: 14, 3: 10, 4: 2, 5: 8, 6: 0}
HALF_WARM = 3.6  # a course that suits this much is taken up every second time it is looked at


@dataclass(frozen=True, slots=True)
class Campus:
    """Everything that is to be written."""

    shelf: Shelf
    learners: tuple[Learner, ...]
    enrolments: tuple[Enrolment, ...]
    completions: tuple[Completion, ...]
    events: tuple[Happened, ...]
    lists: tuple[Shown, ...]
    counted: tuple[int, ...]  # counted interactions per learner, in their order


@dataclass(slots=True)
class _Past:
    """What has happened so far, to everybody."""

    seed: int
    events: list[Happened] = field(default_factory=list)
    lists: list[Shown] = field(default_factory=list)
    enrolments: list[Enrolment] = field(default_factory=list)
    completions: list[Completion] = field(default_factory=list)

    def event_id(self) -> UUID:
        return stable_id(self.seed, "event", len(self.events))


def make_campus(*, seed: int, users: int, items: int, events: int, until: datetime) -> Campus:
    """`items` courses, `users` learners and about `events` events that end before `until`."""
    rng = np.random.default_rng(seed)
    until = until.astimezone(UTC)
    shelf, learners = make_shelf(rng, items=items, until=until), make_learners(rng, users)
    past, counted = _Past(seed), []
    for learner, visits in zip(learners, _visits(rng, users, events), strict=True):
        before = len(past.events)
        _Walk(rng, shelf, learner, until, past).go(visits)
        counted.append(sum(event.event != "drop" for event in past.events[before:]))
    rows = (tuple(past.enrolments), tuple(past.completions), tuple(past.events), tuple(past.lists))
    return Campus(shelf, tuple(learners), *rows, tuple(counted))


def _visits(rng: Chance, users: int, events: int) -> list[int]:
    """Visits of each learner: a heavy tail that adds up to about `events` events, some without any."""
    tail = rng.pareto(1.8, size=users) + 0.3
    tail[rng.random(users) < NEWCOMERS] = 0.0
    wanted = np.minimum(tail * events / EVENTS_A_VISIT / max(tail.sum(), 1.0), MOST_VISITS)
    found = np.floor(wanted + rng.random(users)).astype(int).tolist()
    for number, visits in DEMO_VISITS.items():
        if number <= users and events:
            found[number - 1] = visits
    return [int(visits) for visits in found]


class _Walk:
    """One learner's way through the platform, visit by visit."""

    def __init__(self, rng: Chance, shelf: Shelf, learner: Learner, until: datetime, past: _Past) -> None:
        self.rng, self.shelf, self.learner, self.past, self.until = rng, shelf, learner, past, until
        self.suits, self.mentions = shelf.suits(learner), shelf.mentions(learner)
        self.fresh = np.array([course.is_published for course in shelf.courses])
        self.created = np.array([course.created.toordinal() for course in shelf.courses])
        self.later: list[tuple[datetime, int, str]] = []  # what a person does some days after enrolling

    def go(self, visits: int) -> None:
        """Visit that often, at moments spread over the window; then what was begun is finished or dropped."""
        moments = np.sort(self.rng.uniform(0.15, WINDOW_DAYS - 0.1, size=visits))
        for days_ago in moments[::-1]:
            time = (self.until - timedelta(days=float(days_ago))).replace(microsecond=0)
            may = self.fresh & (self.created < time.toordinal())
            if int(may.sum()) < LIST_LENGTH:
                return
            self._read_list(time, may) if self.rng.random() < LIST_SHARE else self._browse(time, may)
        self._end()

    def _browse(self, time: datetime, may: np.ndarray) -> None:
        for place in self._best(self.suits + self.shelf.draw + self._noise(1.0), may, int(self.rng.integers(1, 4))):
            self.fresh[place] = False
            self._did(place, "view", time)
            if self.rng.random() < 0.55 * self._warm(place):
                self._enroll(place, time + timedelta(minutes=int(self.rng.integers(2, 50))), None)
            time += timedelta(minutes=int(self.rng.integers(1, 9)))

    def _read_list(self, time: datetime, may: np.ndarray) -> None:
        """One shown list, from the top down: clicks become rarer further below."""
        arm = str(self.rng.choice(list(POLICY), p=list(POLICY.values())))
        scores = self._scores(arm)
        shown = self._best(scores, may, LIST_LENGTH)
        request_id = stable_id(self.past.seed, "list", len(self.past.lists))
        told = [(self.shelf.courses[place].slug, round(float(scores[place]), 6)) for place in shown]
        self.past.lists.append(Shown(request_id, self.learner.pk, "home", arm, time, told, probabilities=POLICY))
        for position, place in enumerate(shown):
            look = self._warm(place) / (1 + 0.12 * position)
            drawn = self.rng.random()
            moment = time + timedelta(seconds=8 * position + int(self.rng.integers(2, 8)))
            if drawn < 0.6 * look:
                self.fresh[place] = False
                self._did(place, "click", moment, request_id)
                if self.rng.random() < 0.6 * self._warm(place):
                    self._enroll(place, moment + timedelta(minutes=int(self.rng.integers(2, 50))), request_id)
            elif drawn < 0.75 * look:
                self.fresh[place] = False
                self._did(place, "view", moment, request_id)

    def _scores(self, arm: str) -> Floats:
        """(n_items,) what a strategy thought of each course: it knows a part of what there is to know."""
        if arm == "popularity":
            return self.shelf.draw + self._noise(0.2)
        if arm == "content":
            return 2.0 * self.mentions + self._noise(0.6)
        return (
            (0.75 * self.suits + self._noise(1.0))
            if arm == "two_tower"
            else (self.suits + 0.3 * self.shelf.draw + self._noise(0.6))
        )

    def _enroll(self, place: int, time: datetime, request_id: UUID | None) -> None:
        course = self.shelf.courses[place]
        row = Enrolment(
            id=stable_id(self.past.seed, "enrolment", len(self.past.enrolments)),
            learner=self.learner,
            course=course,
            created_at=time,
            request_id=request_id,
        )
        self.past.enrolments.append(row)
        self._did(place, "enroll", time, request_id, mirrored=_ENROLLED.event_id(row.pk))
        drawn, days = self.rng.random(), float(self.rng.uniform(1, 20) + course.hours / 4)
        word = "complete" if drawn < 0.55 * self._warm(place) else "drop" if drawn > 0.9 else ""
        if word and time + timedelta(days=days) < self.until:
            self.later.append((time + timedelta(days=days), place, word))

    def _end(self) -> None:
        for time, place, word in sorted(self.later):
            if word == "drop":
                self._did(place, word, time.replace(microsecond=0))
                continue
            row = Completion(
                id=stable_id(self.past.seed, "completion", len(self.past.completions)),
                learner=self.learner,
                course=self.shelf.courses[place],
                created_at=time.replace(microsecond=0),
            )
            self.past.completions.append(row)
            self._did(place, word, row.created_at, mirrored=_COMPLETED.event_id(row.pk))

    def _did(
        self, place: int, event: str, time: datetime, request_id: UUID | None = None, *, mirrored: UUID | None = None
    ) -> None:
        slug, event_id = self.shelf.courses[place].slug, mirrored or self.past.event_id()
        self.past.events.append(Happened(event_id, self.learner.pk, slug, event, time, None, request_id))

    def _best(self, scores: Floats, may: np.ndarray, count: int) -> Sequence[int]:
        return [int(place) for place in np.argsort(np.where(may, -scores, np.inf), kind="stable")[:count]]

    def _warm(self, place: int) -> float:
        return float(1 / (1 + np.exp(HALF_WARM - self.suits[place])))

    def _noise(self, size: float) -> Floats:
        return size * self.rng.gumbel(size=self.suits.size)


_ENROLLED = mirror_of(Courses, "enroll", Enrolment)
_COMPLETED = mirror_of(Courses, "complete", Completion)


def tried_first(campus: Campus) -> list[tuple[str, int, str]]:
    """Id, counted interactions and words of the demo people."""
    first = zip(campus.learners, campus.counted, strict=True)
    return [(who.pk, counted, f"{who.name}, {who.describe()}") for who, counted in list(first)[: len(DEMO)]]
