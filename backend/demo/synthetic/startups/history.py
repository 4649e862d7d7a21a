"""Seeded history of the startup board: 180 days of views, likes, applications, investments and dismissals.

People are in the router's three segments by the shares below; the demo people have exactly its threshold counts.
"""

from datetime import UTC, datetime, timedelta
from operator import itemgetter

import numpy as np

from demo.synthetic.simulation import (
    DAY_S,
    PersonSimulator,
    Rng,
    SiteHistory,
    assign_demo_counts,
    best_rows,
    interaction_targets,
)
from demo.synthetic.startups.preferences import Board, Person, Preferences, interest_of, make_board, make_people
from sites.startups.models import Developer, Investor
from sites.startups.recommendation_sources import Startups

WINDOW_DAYS = 180
PERIODS = 6  # a startup founded within a period is first seen in the next one
SHARES = (0.16, 0.18, 0.30)  # of the people with 0, 1-4 and 5-19 counted interactions
COUNTED_SHARE = 0.955  # of the events; the others are dismissals and repeated views
DEMO_COUNTS = (0, 4, 5, 19, 20)
MAX_BUSY = 260  # counted interactions of one person


def make_history(*, seed: int, users: int, items: int, events: int, until: datetime) -> SiteHistory:
    """Make a board of `items` startups, `users` people and about `events` events that end before `until`."""
    rng = np.random.default_rng(seed)
    until = until.astimezone(UTC)
    board = make_board(rng, seed=seed, items=items, until=until)
    drawn = make_people(rng, seed=seed, users=users)
    people = [person for person, _ in drawn]
    targets = interaction_targets(rng, users, events * COUNTED_SHARE, SHARES, most=MAX_BUSY, spread=True)
    for kind in (Developer, Investor):
        rows = [row for row, person in enumerate(people) if isinstance(person, kind)]
        for row in assign_demo_counts(rows, targets, DEMO_COUNTS):
            people[row].is_demo = True
    history = SiteHistory(Startups, seed, items=board.startups, people=people)
    for (person, preferences), target in zip(drawn, targets, strict=True):
        _BoardVisitor(rng, history, person, board, preferences, until).run(target)
    return history


class _BoardVisitor(PersonSimulator):
    """One person who looks at startups until they have the wanted number of counted interactions."""

    half_interest = 3.6

    def __init__(
        self, rng: Rng, history: SiteHistory, person: Person, board: Board, preferences: Preferences, until: datetime
    ) -> None:
        super().__init__(rng, history, person, np.zeros(len(board.startups)))
        self.board, self.preferences = board, preferences
        self.start = until - timedelta(days=WINDOW_DAYS)
        self.founded = np.array([startup.founded_at.toordinal() for startup in board.startups])
        self.unseen = np.array([startup.is_public for startup in board.startups])
        self.actions: list[tuple[datetime, int, str]] = []  # time, row of the startup, event
        self.counted = 0

    def run(self, target: int) -> None:
        """Visit period by period, with about equal counts in each, until `target` interactions count."""
        first = int(self.rng.integers(PERIODS)) if target < 20 else 0
        for period in range(first, PERIODS):
            goal = round(target * (period + 1 - first) / (PERIODS - first))
            if goal > self.counted:
                self._visit(period, goal)
        for time, row, event in sorted(self.actions, key=itemgetter(0)):
            self.history.record(self.person, row, event, time)

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
        self._act(row, "view", time)
        again = time + timedelta(minutes=int(self.rng.integers(2, 40)))
        if self.happens(0.04) and again.date() == time.date():
            self._act(row, "view", again, counts=False)
        if self.counted < goal and self.happens(0.75 * appeal):
            self._act(row, "like", time + timedelta(minutes=int(self.rng.integers(1, 60))))
            if self.counted < goal and self.happens(0.5 * appeal):
                event = "apply" if isinstance(self.person, Developer) else "invest"
                self._act(row, event, time + timedelta(minutes=int(self.rng.integers(60, 360))))
        elif self.happens(0.08 * (1 - appeal)):
            self._act(row, "dismiss", time + timedelta(minutes=1), counts=False)

    def _act(self, row: int, event: str, time: datetime, *, counts: bool = True) -> None:
        self.actions.append((time, row, event))
        self.counted += counts
