"""Seeded history of the startup board: 180 days of views, likes, applications, investments and dismissals.

People are in the router's three segments by the shares below; the demo people have exactly its threshold counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
from django.db.models import Model

from demo.synthetic.simulation import DAY_S, PersonSimulator, Rng, assign_demo_counts, best_rows, interaction_targets, stable_id
from demo.synthetic.startups.preferences import SITE, Board, Person, Preferences, interest_of, make_board, make_people
from sites.startups.models import Developer, Investor
from tandem.services.bulk_load import Happened, Shown

WINDOW_DAYS = 180
PERIODS = 6  # a startup founded within a period is first seen in the next one
SHARES = (0.16, 0.18, 0.30)  # of the people with 0, 1-4 and 5-19 counted interactions
COUNTED_SHARE = 0.955  # of the events; the others are dismissals and repeated views
DEMO_COUNTS = (0, 4, 5, 19, 20)
MIN_ITEMS, MIN_USERS = 60, 40
MAX_BUSY = 260  # counted interactions of one person


@dataclass(frozen=True, slots=True)
class BoardHistory:
    """All rows to write; `counted` has the counted interactions of each person."""

    board: Board
    people: tuple[Person, ...]
    events: tuple[Happened, ...]
    counted: tuple[int, ...]
    lists: tuple[Shown, ...] = ()

    @property
    def rows(self) -> tuple[Sequence[Model], ...]:
        """Startups, developers and investors."""
        return (self.board.startups, *(_of_kind(self.people, kind) for kind in (Developer, Investor)))

    @property
    def summary(self) -> dict[str, int]:
        """Counts for the command's report."""
        return {"startups": len(self.board.startups), "people": len(self.people)}


def _of_kind(people: Sequence[Person], kind: type[Person]) -> list[Person]:
    return [person for person in people if isinstance(person, kind)]


def make_history(*, seed: int, users: int, items: int, events: int, until: datetime) -> BoardHistory:
    """Make a board of `items` startups, `users` people and about `events` events that end before `until`."""
    rng = np.random.default_rng(seed)
    until = until.astimezone(UTC)
    board = make_board(rng, seed=seed, items=items, until=until)
    drawn = make_people(rng, seed=seed, users=users)
    people = tuple(person for person, _ in drawn)
    targets = interaction_targets(rng, users, events * COUNTED_SHARE, SHARES, most=MAX_BUSY, spread=True)
    for kind in (Developer, Investor):
        rows = [row for row, person in enumerate(people) if isinstance(person, kind)]
        for row in assign_demo_counts(rows, targets, DEMO_COUNTS):
            people[row].is_demo = True
    simulators = [_BoardVisitor(rng, board, *pair, until) for pair in drawn]
    counted = tuple(simulator.run(target) for simulator, target in zip(simulators, targets, strict=True))
    rows_ = (event for simulator in simulators for event in simulator.events)
    stamped = tuple(event._replace(event_id=stable_id(SITE, seed, "event", number)) for number, event in enumerate(rows_))
    return BoardHistory(board, people, stamped, counted)


class _BoardVisitor(PersonSimulator):
    """One person who looks at startups until they have the wanted number of counted interactions."""

    half_interest = 3.6

    def __init__(self, rng: Rng, board: Board, person: Person, preferences: Preferences, until: datetime) -> None:
        super().__init__(rng, np.zeros(len(board.startups)))
        self.board, self.person, self.preferences = board, person, preferences
        self.start = until - timedelta(days=WINDOW_DAYS)
        self.founded = np.array([startup.founded_at.toordinal() for startup in board.startups])
        self.unseen = np.array([startup.is_public for startup in board.startups])
        self.events: list[Happened] = []
        self.counted = 0

    def run(self, target: int) -> int:
        """Visit period by period, with about equal counts in each, until `target` interactions count; return the count."""
        first = int(self.rng.integers(PERIODS)) if target < 20 else 0
        for period in range(first, PERIODS):
            goal = round(target * (period + 1 - first) / (PERIODS - first))
            if goal > self.counted:
                self._visit(period, goal)
        self.events.sort(key=lambda event: event.time)
        return self.counted

    def _visit(self, period: int, goal: int) -> None:
        self.interest = interest_of(self.board, self.preferences, share=(period + 0.5) / PERIODS)
        opens = self.start + timedelta(days=WINDOW_DAYS / PERIODS * period)
        allowed = self.unseen & (self.founded < opens.toordinal())
        for row in best_rows(self.interest + self.board.popularity + self.noise(), allowed, allowed.size):
            if self.counted >= goal:
                return
            self.unseen[row] = False
            self._look_at(row, opens, goal)

    def _look_at(self, row: int, opens: datetime, goal: int) -> None:
        """View a startup and act on it if it appeals; a few are viewed twice, some are dismissed."""
        time = opens + timedelta(seconds=int(self.rng.uniform(0, (WINDOW_DAYS / PERIODS - 0.3) * DAY_S)))
        appeal = self.appeal(row)
        self._record(row, "view", time)
        again = time + timedelta(minutes=int(self.rng.integers(2, 40)))
        if self.happens(0.04) and again.date() == time.date():
            self._record(row, "view", again, counts=False)
        if self.counted < goal and self.happens(0.75 * appeal):
            self._record(row, "like", time + timedelta(minutes=int(self.rng.integers(1, 60))))
            if self.counted < goal and self.happens(0.5 * appeal):
                event = "apply" if isinstance(self.person, Developer) else "invest"
                self._record(row, event, time + timedelta(minutes=int(self.rng.integers(60, 360))))
        elif self.happens(0.08 * (1 - appeal)):
            self._record(row, "dismiss", time + timedelta(minutes=1), counts=False)

    def _record(self, row: int, event: str, time: datetime, *, counts: bool = True) -> None:
        item_id = str(self.board.startups[row].pk)
        self.events.append(Happened(UUID(int=0), str(self.person.pk), item_id, event, time))
        self.counted += counts
