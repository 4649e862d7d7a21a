import numpy as np
import pytest

from recommendation_service.datasets.checks import check
from recommendation_service.datasets.reader import Events
from recommendation_service.datasets.weighting import DAY_S
from recommendation_service.tests.support.exports import NOW, Happening, clubs, write_export
from recommendation_service.use_cases.loader import load

STARTUPS = load("startups")


def checked(tmp_path, happenings, **changes):
    dataset = write_export(tmp_path, STARTUPS, clubs()[0], happenings, {"someone": {}})
    events = dataset.events()
    if changes:
        events = Events(events.users, events.items, changes.get("weights", events.weights), changes.get("times", events.times))
    return check(dataset, events, now=NOW)


def test_a_healthy_export_is_counted_and_nothing_is_said(tmp_path):
    found = checked(tmp_path, clubs()[1])
    assert (found.blocking, found.warnings) == ((), ())
    assert (found.counts.users, found.counts.items, found.counts.positive) == (41, 24, 320)
    assert (found.counts.active_users, found.counts.active_items) == (40, 24)


@pytest.mark.parametrize("happenings", [[], [Happening("u", "i000", "dismiss", NOW)]], ids=["nothing", "only dislikes"])
def test_without_a_positive_event_nothing_can_be_learned(tmp_path, happenings):
    assert checked(tmp_path, happenings).blocking == ("there are no positive interactions",)


def test_few_events_and_lone_events_are_warned_of(tmp_path):
    found = checked(tmp_path, [Happening(f"u{user}", "i000", "like", NOW) for user in range(3)])
    assert found.warnings[0].startswith("not enough data: no people liked two items or more; 10 are needed")
    assert any("nobody has a second positive interaction" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("people", "told"),
    [(1, "not enough data: 1 person liked"), (9, "not enough data: 9 people liked"), (10, "only 20 positive interactions")],
)
def test_people_who_liked_two_items_are_what_is_counted(tmp_path, people, told):
    likes = [Happening(f"u{user}", f"i00{item}", "like", NOW) for user in range(people) for item in range(2)]
    repeated = [Happening("once", "i001", "like", NOW - day * DAY_S) for day in range(3)]
    disliked = [Happening("cross", f"i00{item}", "dismiss", NOW) for item in range(5)]
    found = checked(tmp_path, [*likes, *disliked, *(repeated if people < 10 else [])])
    assert found.counts.learners == people
    assert found.warnings[0].startswith(told)


def test_one_loud_item_and_one_loud_person_are_named_by_their_share(tmp_path):
    loud = [Happening(f"x{user}", "i005", "like", NOW - user) for user in range(400)]
    assert "one item has" in checked(tmp_path / "item", [*clubs()[1], *loud]).warnings[0]
    flood = [Happening("bot", f"i{row % 24:03d}", "like", NOW - row * DAY_S) for row in range(400)]
    assert "one person has" in checked(tmp_path / "bot", [*clubs()[1], *flood]).warnings[0]


def test_future_and_broken_rows_are_counted(tmp_path):
    late = np.full(320, NOW + 9 * DAY_S)
    assert "320 interactions are dated" in checked(tmp_path / "a", clubs()[1], times=late).warnings[0]
    broken = np.full(320, np.inf, dtype=np.float32)
    assert "some weights are not finite" in checked(tmp_path / "b", clubs()[1], weights=broken).warnings[-1]
