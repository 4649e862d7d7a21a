"""A seeded past for the startup board: 180 days of views, likes, applications, investments and dismissals.

The same seed and end date give the same board, people and events. People come in the three segments of the router in
shares fixed below; a few "demo people" hit its thresholds exactly.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np

from demo.synthetic.startups.preferences import PULL, Board, Chance, Taste, make_board, make_people, stable_id, suits
from sites.startups.models import Developer, Investor
from tandem.services.bulk_load import Happened

WINDOW_DAYS = 180
PERIODS = 6  # a startup founded within a period is first seen in the next one
SHARES = {"none": 0.16, "few": 0.18, "some": 0.30}  # the rest is busy: 20 counted interactions or more
DEMO_COUNTS = (0, 4, 5, 19, 20)
MIN_ITEMS = 60
MIN_USERS = 40
HALF_WARM = 3.6  # a startup that pulls this much is liked after about every third view
MAX_BUSY = 260  # nobody does more than this in the window


@dataclass(frozen=True, slots=True)
class Market:
    """Everything that is to be written."""

    board: Board
    people: tuple[Developer | Investor, ...]
    events: tuple[Happened, ...]
    counted: tuple[int, ...]  # counted interactions per person, in the order of `people`


def make_market(*, seed: int, users: int, items: int, events: int, until: datetime) -> Market:
    """A board of `items`, `users` people and about `events` events that end before `until`."""
    rng = np.random.default_rng(seed)
    until = until.astimezone(UTC)
    board = make_board(rng, seed=seed, items=items, until=until)
    people = make_people(rng, seed=seed, users=users)
    targets = _targets(rng, [person for person, _ in people], events)
    past: list[Happened] = []
    counted: list[int] = []
    for (person, taste), target in zip(people, targets, strict=True):
        own = _Walk(rng, board, taste, until).do(person, target)
        counted.append(own.counted)
        past.extend(own.events)
    stamped = (event._replace(event_id=stable_id(seed, "event", number)) for number, event in enumerate(past))
    return Market(board, tuple(person for person, _ in people), tuple(stamped), tuple(counted))


def _targets(rng: Chance, people: list[Developer | Investor], events: int) -> list[int]:
    """Counted interactions each person is to have; the busy ones share a heavy tail that adds up to `events`."""
    users = len(people)
    none, few, some = (round(share * users) for share in SHARES.values())
    busy = users - none - few - some
    tail = rng.pareto(1.6, size=busy) + 0.35
    left = max(0.0, events * 0.955 - few * 2.5 - some * 12 - busy * 20)  # the rest are dismissals and repeats
    extra = np.minimum(tail * left / tail.sum(), MAX_BUSY - 20)
    extra += (left - extra.sum()) / busy if left > extra.sum() else 0.0
    counts = np.concatenate(
        [np.zeros(none), rng.integers(1, 5, size=few), rng.integers(5, 20, size=some), 20 + np.floor(extra)]
    ).astype(np.int64)
    targets = [int(count) for count in rng.permutation(counts)]
    return _with_demo_people(people, targets)


def _with_demo_people(people: list[Developer | Investor], targets: list[int]) -> list[int]:
    """One developer and one investor for each threshold count, by swapping targets so that the shares stay."""
    for kind in (Developer, Investor):
        places = [place for place, person in enumerate(people) if isinstance(person, kind)]
        for place, wanted in zip(places, DEMO_COUNTS, strict=False):
            people[place].is_demo = True
            other = next((at for at in places[len(DEMO_COUNTS) :] if targets[at] == wanted), place)
            targets[other], targets[place] = targets[place], wanted
    return targets


class _Walk:
    """One person's way over the board, event by event, until they have done what they were meant to."""

    def __init__(self, rng: Chance, board: Board, taste: Taste, until: datetime) -> None:
        self.rng, self.board, self.taste = rng, board, taste
        self.start = until - timedelta(days=WINDOW_DAYS)
        self.founded = np.array([startup.founded_at.toordinal() for startup in board.startups])
        self.free = np.array([startup.is_public for startup in board.startups])
        self.events: list[Happened] = []
        self.counted = 0

    def do(self, person: Developer | Investor, target: int) -> "_Walk":
        """Visit startups period by period, a like number of times in each, until `target` interactions count."""
        first = int(self.rng.integers(PERIODS)) if target < 20 else 0
        for period in range(first, PERIODS):
            goal = round(target * (period + 1 - first) / (PERIODS - first))
            if goal > self.counted:
                self._visit(person, period, goal)
        self.events.sort(key=lambda event: event.time)
        return self

    def _visit(self, person: Developer | Investor, period: int, goal: int) -> None:
        pull = suits(self.board, self.taste, share=(period + 0.5) / PERIODS)
        opens = self.start + timedelta(days=WINDOW_DAYS / PERIODS * period)
        may = self.free & (self.founded < opens.toordinal())
        draw = pull + PULL["popularity"] * self.board.draw + self.rng.gumbel(size=pull.size)
        for place in np.argsort(np.where(may, -draw, np.inf), kind="stable")[: int(may.sum())]:
            if self.counted >= goal:
                return
            self.free[place] = False
            self._meet(person, int(place), float(pull[place]), opens, goal)

    def _meet(self, person: Developer | Investor, place: int, pull: float, opens: datetime, goal: int) -> None:
        """A view, and what follows it when the startup suits; a few are looked at twice, some are waved away."""
        seconds = float(self.rng.uniform(0, (WINDOW_DAYS / PERIODS - 0.3) * 86_400))
        time = opens + timedelta(seconds=int(seconds))
        warm = 1 / (1 + np.exp(HALF_WARM - pull))
        final = "apply" if isinstance(person, Developer) else "invest"
        self._add(person, place, "view", time)
        again = time + timedelta(minutes=int(self.rng.integers(2, 40)))
        if self.rng.random() < 0.04 and again.date() == time.date():
            self._add(person, place, "view", again, counts=False)
        if self.counted < goal and self.rng.random() < 0.75 * warm:
            self._add(person, place, "like", time + timedelta(minutes=int(self.rng.integers(1, 60))))
            if self.counted < goal and self.rng.random() < 0.5 * warm:
                self._add(person, place, final, time + timedelta(minutes=int(self.rng.integers(60, 360))))
        elif self.rng.random() < 0.08 * (1 - warm):
            self._add(person, place, "dismiss", time + timedelta(minutes=1), counts=False)

    def _add(self, person: Developer | Investor, place: int, event: str, time: datetime, *, counts: bool = True) -> None:
        startup = self.board.startups[place]
        self.events.append(Happened(UUID(int=0), str(person.pk), str(startup.pk), event, time))
        self.counted += counts
