"""Seeded history of the course platform: 150 days of visits, and the lists that four strategies showed in them.

Each list's strategy is drawn with the probabilities that are recorded with it. How often its courses are clicked depends
on the courses and the learner, so there is a real difference to learn: `hybrid` knows most, `popularity` least.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np

from demo.synthetic.courses.preferences import CourseCatalogue, make_catalogue, make_learners
from demo.synthetic.simulation import Bools, Floats, PersonSimulator, Rng, SiteHistory, best_rows
from sites.courses.models import Completion, Enrolment, Learner
from sites.courses.recommendation_sources import Courses
from tandem.services.bulk_load import Shown

WINDOW_DAYS = 150
POLICY = {"two_tower": 0.2, "popularity": 0.2, "content": 0.2, "hybrid": 0.4}  # probabilities of the strategies
LIST_SHARE = 0.32  # of the visits; in the others people browse
LIST_LENGTH = 8
EVENTS_PER_VISIT = 2.4
MOST_VISITS = 90
INACTIVE_SHARE = 0.1  # of the people have no interactions
DEMO_VISITS = {1: 6, 2: 14, 3: 10, 4: 2, 5: 8, 6: 0}


def make_history(*, seed: int, users: int, items: int, events: int, until: datetime) -> SiteHistory:
    """Make `items` courses, `users` learners and about `events` events that end before `until`."""
    rng = np.random.default_rng(seed)
    until = until.astimezone(UTC)
    catalogue = make_catalogue(rng, items=items, until=until)
    history = SiteHistory(Courses, seed, items=catalogue.courses, people=make_learners(rng, users))
    for learner, visits in zip(history.people, _visits(rng, users, events), strict=True):
        _LearnerVisits(rng, history, learner, catalogue, until).run(visits)
    return history


def _visits(rng: Rng, users: int, events: int) -> list[int]:
    """Draw each learner's number of visits: a heavy tail that adds up to about `events` events; some have none."""
    tail = rng.pareto(1.8, size=users) + 0.3
    tail[rng.random(users) < INACTIVE_SHARE] = 0.0
    wanted = np.minimum(tail * events / EVENTS_PER_VISIT / max(tail.sum(), 1.0), MOST_VISITS)
    visits: list[int] = np.floor(wanted + rng.random(users)).astype(int).tolist()
    for number, count in DEMO_VISITS.items() if events else ():
        if number <= users:
            visits[number - 1] = count
    return visits


class _LearnerVisits(PersonSimulator):
    """One learner's visits to the platform."""

    half_interest = 3.6

    def __init__(self, rng: Rng, history: SiteHistory, learner: Learner, catalogue: CourseCatalogue, until: datetime) -> None:
        super().__init__(rng, history, learner, catalogue.interest_of(learner))
        self.catalogue, self.until = catalogue, until
        self.unseen = np.array([course.is_published for course in catalogue.courses])
        self.created = np.array([course.created.toordinal() for course in catalogue.courses])
        self.follow_ups: list[tuple[datetime, int, str]] = []  # what the learner does some days after enrolling

    def run(self, visits: int) -> None:
        """Make these visits at random times of the window, then complete or drop what was begun."""
        for days_ago in np.sort(self.rng.uniform(0.15, WINDOW_DAYS - 0.1, size=visits))[::-1]:
            time = (self.until - timedelta(days=float(days_ago))).replace(microsecond=0)
            allowed = self.unseen & (self.created < time.toordinal())
            if int(allowed.sum()) < LIST_LENGTH:
                return
            self._read_list(time, allowed) if self.happens(LIST_SHARE) else self._browse(time, allowed)
        self._finish()

    def _browse(self, time: datetime, allowed: Bools) -> None:
        scores = self.interest + self.catalogue.popularity + self.noise()
        for row in best_rows(scores, allowed, int(self.rng.integers(1, 4))):
            self.unseen[row] = False
            self._record(row, "view", time)
            if self.happens(0.55 * self.appeal(row)):
                self._enroll(row, time + self._minutes(2, 50), None)
            time += self._minutes(1, 9)

    def _read_list(self, time: datetime, allowed: Bools) -> None:
        """Show one list and read it from the top; clicks become rarer further down."""
        strategy = str(self.rng.choice(list(POLICY), p=list(POLICY.values())))
        scores = self._scores(strategy)
        rows = best_rows(scores, allowed, LIST_LENGTH)
        request_id = self.history.id("list", len(self.history.lists))
        items = [(self.catalogue.courses[row].slug, round(float(scores[row]), 6)) for row in rows]
        self.history.lists.append(Shown(request_id, self.person.pk, "home", strategy, time, items, probabilities=POLICY))
        for position, row in enumerate(rows):
            attention = self.appeal(row) / (1 + 0.12 * position)
            draw = self.rng.random()
            clicked_at = time + timedelta(seconds=8 * position + int(self.rng.integers(2, 8)))
            if draw < 0.75 * attention:
                self.unseen[row] = False
                self._record(row, "click" if draw < 0.6 * attention else "view", clicked_at, request_id)
            if draw < 0.6 * attention and self.happens(0.6 * self.appeal(row)):
                self._enroll(row, clicked_at + self._minutes(2, 50), request_id)

    def _scores(self, strategy: str) -> Floats:
        """Return (n_items,) a strategy's scores; each knows only a part of the learner's interest."""
        if strategy == "popularity":
            return self.catalogue.popularity + self.noise(0.2)
        if strategy == "content":
            return 2.0 * self.catalogue.teaches_wanted_skill(self.person) + self.noise(0.6)
        if strategy == "two_tower":
            return 0.75 * self.interest + self.noise()
        return self.interest + 0.3 * self.catalogue.popularity + self.noise(0.6)

    def _enroll(self, row: int, time: datetime, request_id: UUID | None) -> None:
        course, key = self.catalogue.courses[row], self.history.id("enrolment", len(self.history.tables[Enrolment]))
        enrolment = Enrolment(id=key, learner=self.person, course=course, created_at=time, request_id=request_id)
        self.history.add_event("enroll", enrolment)
        draw, days = self.rng.random(), float(self.rng.uniform(1, 20) + course.hours / 4)
        event = "complete" if draw < 0.55 * self.appeal(row) else "drop" if draw > 0.9 else ""
        if event and time + timedelta(days=days) < self.until:
            self.follow_ups.append((time + timedelta(days=days), row, event))

    def _finish(self) -> None:
        for exact_time, row, event in sorted(self.follow_ups):
            time = exact_time.replace(microsecond=0)
            if event == "complete":
                key, course = self.history.id("completion", len(self.history.tables[Completion])), self.catalogue.courses[row]
                self.history.add_event(event, Completion(id=key, learner=self.person, course=course, created_at=time))
            else:
                self._record(row, event, time)

    def _record(self, row: int, event: str, time: datetime, request_id: UUID | None = None) -> None:
        self.history.record(self.person, row, event, time, request_id)

    def _minutes(self, low: int, high: int) -> timedelta:
        return timedelta(minutes=int(self.rng.integers(low, high)))
