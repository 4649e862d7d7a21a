"""The seeded board: the same again for a seed, every segment well filled, a heavy tail, tastes that can be read off."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from demo.synthetic.command import shares
from demo.synthetic.simulation import SiteHistory
from demo.synthetic.startups.history import DEMO_COUNTS, WINDOW_DAYS, make_history
from recommendation_service.use_cases.loader import load
from sites.startups.models import Developer, Investor, Startup
from tandem.models import UserInteraction
from tandem.selectors.history import count_of, history_of
from tandem.services.bulk_load import Happened
from tandem.sources import source_of

UNTIL = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Seen:
    """A history with the two lookups that most tests need."""

    history: SiteHistory
    startups: dict[str, Startup]
    people: dict[str, Developer | Investor]


@pytest.fixture(scope="module")
def seen() -> Seen:
    history = make_history(seed=7, users=1500, items=600, events=45_000, until=UNTIL)
    startups = {str(startup.pk): startup for startup in history.items}
    return Seen(history, startups, {str(person.pk): person for person in history.people})


def _past_of(history: SiteHistory) -> dict[str, list[Happened]]:
    past: dict[str, list[Happened]] = {}
    for event in history.events:
        past.setdefault(event.user_id, []).append(event)
    return past


def test_the_same_seed_and_end_give_the_same_board_and_events() -> None:
    first, second = (make_history(seed=3, users=60, items=80, events=1500, until=UNTIL) for _ in range(2))
    assert first.events == second.events
    fields = ("id", "name", "pitch", "sector", "stage", "skills", "ticket", "founded_at", "is_public")
    told = [[[getattr(one, name) for name in fields] for one in history.items] for history in (first, second)]
    assert told[0] == told[1]
    assert [(one.pk, one.name) for one in first.people] == [(one.pk, one.name) for one in second.people]


def test_another_seed_gives_other_ids() -> None:
    first, second = (make_history(seed=seed, users=40, items=60, events=500, until=UNTIL) for seed in (1, 2))
    assert not {one.pk for one in first.people} & {one.pk for one in second.people}


def test_a_later_end_moves_the_events_and_keeps_the_ids() -> None:
    first = make_history(seed=3, users=60, items=80, events=1500, until=UNTIL)
    later = make_history(seed=3, users=60, items=80, events=1500, until=UNTIL + timedelta(days=10))
    assert [one.pk for one in first.people] == [one.pk for one in later.people]
    assert max(event.time for event in later.events) > max(event.time for event in first.events)


def test_every_segment_holds_at_least_fifteen_in_a_hundred(seen: Seen) -> None:
    found = shares(seen.history.counts())
    assert set(found) == {"0", "1-4", "5-19", "20+"}
    assert min(found.values()) >= 0.15
    assert sum(found.values()) == pytest.approx(1.0)


def test_demo_people_stand_exactly_at_the_thresholds(seen: Seen) -> None:
    for kind in (Developer, Investor):
        pairs = zip(seen.history.people, seen.history.counts(), strict=True)
        assert sorted(counted for person, counted in pairs if person.is_demo and isinstance(person, kind)) == list(DEMO_COUNTS)


def test_about_as_many_events_as_asked(seen: Seen) -> None:
    assert len(seen.history.events) == pytest.approx(45_000, rel=0.1)


def test_events_lie_in_the_window_and_after_the_founding(seen: Seen) -> None:
    for event in seen.history.events:
        assert UNTIL - timedelta(days=WINDOW_DAYS) <= event.time <= UNTIL
        assert seen.startups[event.item_id].founded_at <= event.time.date()
        assert seen.startups[event.item_id].is_public


def test_event_ids_are_unique(seen: Seen) -> None:
    assert len({event.event_id for event in seen.history.events}) == len(seen.history.events)


def test_popularity_has_a_heavy_tail(seen: Seen) -> None:
    """On log axes count falls along a line over rank, and a tenth of the items draws a good third of the events."""
    counts = np.sort(list(Counter(event.item_id for event in seen.history.events).values()))[::-1].astype(float)
    head = counts[: counts.size // 2]
    ranks = np.log(np.arange(1, head.size + 1))
    slope, start = np.polyfit(ranks, np.log(head), 1)
    residual = np.log(head) - (slope * ranks + start)
    explained = 1 - residual.var() / np.log(head).var()
    assert -1.5 < slope < -0.4
    assert explained > 0.9
    assert counts[: counts.size // 10].sum() / counts.sum() > 0.33


def test_activity_has_a_heavy_tail(seen: Seen) -> None:
    counts = np.sort(np.array(seen.history.counts()))[::-1]
    assert counts[: counts.size // 10].sum() / counts.sum() > 0.3
    assert counts[0] > 10 * np.median(counts)


def test_the_stronger_the_event_the_better_it_fits_the_taste(seen: Seen) -> None:
    fits: dict[str, list[bool]] = {}
    for event in seen.history.events:
        liked = seen.startups[event.item_id].sector in seen.people[event.user_id].sectors
        fits.setdefault(event.event, []).append(liked)
    rate = {event: float(np.mean(found)) for event, found in fits.items()}
    assert rate["dismiss"] < rate["view"] < rate["like"] < rate["apply"]
    assert rate["view"] < rate["invest"]


def test_developers_apply_and_investors_invest(seen: Seen) -> None:
    for event in seen.history.events:
        wanted = {"apply": Developer, "invest": Investor}.get(event.event, object)
        assert isinstance(seen.people[event.user_id], wanted)


def test_some_tastes_shift(seen: Seen) -> None:
    """Someone whose taste turned likes their favourites less in the first third of the window than in the last."""
    early, late = UNTIL - timedelta(days=WINDOW_DAYS * 0.7), UNTIL - timedelta(days=WINDOW_DAYS * 0.3)
    gains = []
    for user_id, past in _past_of(seen.history).items():
        liked = set(seen.people[user_id].sectors)
        halves = [[event for event in past if event.time < early], [event for event in past if event.time > late]]
        if min(len(half) for half in halves) >= 20:
            before, after = (np.mean([seen.startups[event.item_id].sector in liked for event in half]) for half in halves)
            gains.append(after - before)
    assert np.mean(np.array(gains) > 0.2) > 0.05


def test_people_and_startups_speak_the_same_words(seen: Seen) -> None:
    startups = seen.history.items
    sectors, skills = {one.sector for one in startups}, {skill for one in startups for skill in one.skills}
    stages, tickets = {one.stage for one in startups}, {one.ticket for one in startups}
    assert not sectors & skills
    for person in seen.history.people:
        assert set(person.sectors) <= sectors
        if isinstance(person, Developer):
            assert 2 <= len(person.skills) <= 4
            assert set(person.skills) <= skills
        else:
            assert person.stage in stages
            assert person.ticket in tickets


def test_names_are_unique_and_fit_their_columns(seen: Seen) -> None:
    names = [one.name for one in seen.history.items]
    assert len(set(names)) == len(names)
    assert len({person.name for person in seen.history.people}) == len(seen.history.people)
    assert max(len(one.pitch) for one in seen.history.items) <= 600


def test_more_startups_than_fresh_names_still_get_different_names() -> None:
    history = make_history(seed=1, users=40, items=2500, events=100, until=UNTIL)
    names = [one.name for one in history.items]
    assert len(set(names)) == len(names)


@pytest.mark.django_db
class TestTheCommand:
    def _run(self, *more: str) -> list[str]:
        out = StringIO()
        call_command("generate_startups_data", "--users", "60", "--items", "80", "--until", "2026-06-01", *more, stdout=out)
        return out.getvalue().splitlines()

    def test_writes_what_it_says_and_names_the_next_command(self) -> None:
        lines = self._run()
        assert lines[0] == (
            f"80 startups, {Developer.objects.count()} developers, {Investor.objects.count()} investors, "
            f"{UserInteraction.objects.count():,} events"
        )
        assert lines[-1] == "next: manage.py generate_all_datasets"
        assert Startup.objects.count() == 80

    def test_prints_ten_people_whose_stored_counts_are_as_printed(self) -> None:
        printed = [line.split() for line in self._run() if " counted  " in line]
        assert len(printed) == 10
        use_case = load("startups")
        for user_id, counted, *_ in printed:
            events, _ = history_of(user_id=user_id, catalogue="startups")
            assert count_of(events, use_case) == int(counted)

    def test_does_not_touch_a_board_that_is_there_unless_told(self) -> None:
        self._run()
        with pytest.raises(CommandError, match="--reset"):
            self._run()
        before = set(UserInteraction.objects.values_list("event_id", flat=True))
        self._run("--reset")
        assert set(UserInteraction.objects.values_list("event_id", flat=True)) == before

    def test_a_failure_half_way_leaves_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(**_: object) -> int:
            raise OSError("disk full")

        monkeypatch.setattr("demo.synthetic.command.write_past", full)
        with pytest.raises(OSError, match="disk full"):
            self._run()
        assert Startup.objects.count() == 0

    @pytest.mark.parametrize(
        ("option", "value", "told"),
        [
            ("--users", "3", "at least"),
            ("--items", "5", "at least"),
            ("--seed", "-1", "negative"),
            ("--until", "soon", "ISO 8601"),
        ],
    )
    def test_wrong_sizes_are_refused_with_the_fix(self, option: str, value: str, told: str) -> None:
        with pytest.raises(CommandError, match=told):
            self._run(option, value)

    def test_the_source_speaks_of_every_person_and_of_public_startups_only(self) -> None:
        self._run()
        source = source_of("startups")
        assert source is not None
        assert len(list(source.people())) == 60
        assert len(list(source.records())) == Startup.objects.filter(is_public=True).count()
        for _, profile in source.people():
            assert set(profile) in ({"sectors", "skills"}, {"sectors", "stage", "ticket"})
