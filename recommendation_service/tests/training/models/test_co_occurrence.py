from collections import Counter, defaultdict
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendation_service.datasets.reader import Events
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.engines.co_occurrence import CoOccurrence
from recommendation_service.publishing.array_schemas import check
from recommendation_service.tests.engines import board
from recommendation_service.tests.support.exports import NOW, Happening
from recommendation_service.tests.support.materials import club_material, club_panel, material_of
from recommendation_service.training.data import NotEnough
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import score_people
from recommendation_service.training.models import co_occurrence
from recommendation_service.training.models.co_occurrence import (
    CoOccurrenceParameters,
    baskets_of,
    count_pairs,
    train_co_occurrence,
)

HOUR = 3600.0
ITEMS = [ItemRecord(f"i{row}", f"Item {row}") for row in range(8)]
ALL = CoOccurrenceParameters(least_people=1)
bought = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 7), st.integers(0, 90)), max_size=60)


def naive_baskets(orders, window_h, most):
    """(user, items) of every basket, one event after the other."""
    found, start, last_user = [], 0, None
    for user, hour, item in orders:
        if user != last_user or hour > start + window_h:
            found.append((user, []))
            start, last_user = hour, user
        if item not in found[-1][1] and len(found[-1][1]) < most:
            found[-1][1].append(item)
    return found


@settings(max_examples=150, deadline=None)
@given(
    orders=bought,
    window=st.sampled_from([0, 1, 5, 24]),
    most=st.sampled_from([2, 3, 50]),
    at_once=st.sampled_from([1, 5, 10**6]),
)
def test_counts_equal_those_of_a_plain_loop(orders, window, most, at_once):
    orders = sorted((user, hour, item) for user, item, hour in orders)
    met, people = Counter(), defaultdict(set)
    for user, items in naive_baskets(orders, window, most):
        for pair in combinations(sorted(items), 2):
            met[pair] += 1
            people[pair].add(user)
    users, hours, items = (np.array([one[place] for one in orders], dtype=np.int64) for place in range(3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(co_occurrence, "PAIRS_AT_ONCE", at_once)
        parameters = CoOccurrenceParameters(window_hours=window, basket_items=most)
        by_time = np.argsort(hours, kind="stable")  # as an export tells them; items of one hour keep their order
        weights = np.ones(users.size, dtype=np.float32)
        events = Events(users[by_time], items[by_time], weights, NOW + hours[by_time] * HOUR)
        pairs = count_pairs(baskets_of(events, parameters), 8)
    places = list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert dict(zip(places, pairs.baskets.tolist(), strict=True)) == dict(met)
    assert dict(zip(places, pairs.people.tolist(), strict=True)) == {pair: len(own) for pair, own in people.items()}


def orders_of(*baskets, event="purchase", start=NOW):
    """Each basket is (user, items); one user's baskets are days apart."""
    return [
        Happening(user, f"i{item}", event, start - 4 * 86_400 * place + step * 60)
        for place, (user, items) in enumerate(baskets)
        for step, item in enumerate(items)
    ]


def trained(happenings, parameters=ALL):
    return train_co_occurrence(material_of(ITEMS, happenings)[0], parameters)


def table(made):
    """(item, other) -> (score, people)."""
    arrays = made.arrays
    rows = np.repeat(np.arange(len(ITEMS)), np.diff(arrays["indptr"]))
    triples = zip(rows.tolist(), arrays["indices"].tolist(), arrays["values"].tolist(), arrays["people"].tolist(), strict=True)
    return {(row, other): (value, people) for row, other, value, people in triples}


def test_the_worked_example_of_the_guide_holds():
    """Ten baskets of ten people: 0 in 4, 1 in 5, together in 3; shrinkage 5."""
    sets = [(0, 1)] * 3 + [(0, 2)] + [(1, 3)] * 2 + [(2, 3)] * 4
    found = table(trained(orders_of(*((f"u{place}", own) for place, own in enumerate(sets)))))
    phi = (10 * 3 - 4 * 5) / np.sqrt(4 * 5 * 6 * 5)
    assert found[0, 1] == (pytest.approx(phi * 3 / 8, rel=1e-5), 3)
    assert found[0, 1][0] == pytest.approx(0.1531, abs=1e-4)
    assert found[1, 0] == found[0, 1]


def test_a_bestseller_that_is_in_every_other_basket_by_chance_is_no_partner():
    baskets = [(f"u{place}", (place % 4, 7) if place % 2 else (place % 4,)) for place in range(40)]
    pure = [(f"v{place}", (5, 6)) for place in range(10)]
    found = table(trained(orders_of(*baskets, *pure)))
    assert found[5, 6][0] > 0.5
    assert max(value for (row, other), (value, _) in found.items() if 7 in (row, other)) < 0.5


def test_more_people_behind_the_same_share_are_believed_more():
    def strength(people):
        pairs = [(f"u{place}", (0, 1)) for place in range(people)]
        alone = [(f"v{place}", (2 + place % 2, 4 + place % 2)) for place in range(9 * people)]
        return table(trained(orders_of(*pairs, *alone)))[0, 1][0]

    assert strength(2) < strength(10) < strength(40) < 1


def test_one_person_buying_the_pair_again_and_again_is_one_person():
    orders = orders_of(*[("robot", (0, 1))] * 30, ("a", (2, 3)), ("b", (2, 3)), ("c", (4, 5)))
    pairs = table(trained(orders))
    assert pairs[0, 1] == pairs[4, 5]
    often = CoOccurrenceParameters(baskets_per_person=30, least_people=1)
    assert table(trained(orders, often))[0, 1][1] == 1
    assert set(table(trained(orders, CoOccurrenceParameters(least_people=2)))) == {(2, 3), (3, 2)}


def test_a_robot_that_buys_a_pair_five_hundred_times_gains_it_nothing():
    honest = [(f"u{place}", (0, 1)) for place in range(20)] + [(f"v{place}", (2, 3)) for place in range(20)]
    honest += [(f"w{place}", (4, 0)) for place in range(2)] + [(f"x{place}", (4, 5)) for place in range(6)]
    clean, robbed = (table(trained(orders_of(*honest, *robot))) for robot in ([], [("robot", (4, 0))] * 500))
    assert robbed.get((0, 4), (0.0,))[0] <= clean.get((0, 4), (0.0,))[0] + 0.01
    assert max((one for one in robbed if one[0] == 0), key=lambda one: robbed[one][0]) == (0, 1)


def test_only_the_named_events_make_baskets():
    seen = orders_of(("a", (0, 1)), ("b", (0, 1)), ("c", (2, 3)), event="view")
    sold = orders_of(("a", (4, 5)), ("b", (4, 5)), ("c", (6, 7)), start=NOW - 1000)
    found = table(trained(seen + sold, CoOccurrenceParameters(events=("purchase",), least_people=1)))
    assert set(found) == {(4, 5), (5, 4), (6, 7), (7, 6)}


def test_without_named_events_every_positive_one_counts():
    happenings = orders_of(("a", (0, 1)), ("b", (2, 3))) + orders_of(("c", (4, 5)), event="cart_remove")
    material, _ = material_of(ITEMS, happenings, weight={"cart_remove": -1.0})
    assert set(table(train_co_occurrence(material, ALL))) == {(0, 1), (1, 0), (2, 3), (3, 2)}


def test_an_item_keeps_its_best_pairs_only():
    baskets = [(f"u{place}", (0, 1 + place % 5)) for place in range(30)] + [(f"v{place}", (0, 2)) for place in range(9)]
    baskets += [(f"w{place}", (6, 7)) for place in range(20)]
    every, best = (table(trained(orders_of(*baskets), CoOccurrenceParameters(neighbours=kept))) for kept in (50, 1))
    strongest = max((one for one in every if one[0] == 0), key=lambda one: every[one][0])
    assert [one for one in best if one[0] == 0] == [strongest]


def test_a_site_where_nothing_was_bought_together_is_told():
    with pytest.raises(NotEnough, match=r"no two items .* more purchase events"):
        trained(orders_of(("a", (0,)), ("b", (1,))), CoOccurrenceParameters(events=("purchase",)))
    with pytest.raises(NotEnough):
        trained(orders_of(("a", (0, 1)), ("b", (0, 1))))  # in every basket: nothing to tell from chance


def test_the_serving_engine_gives_people_their_own_club():
    early, panel, _ = club_panel(people=80)
    made = train_co_occurrence(early, CoOccurrenceParameters(window_hours=2000))
    check("co_occurrence", made.arrays, where="candidate")
    engine = CoOccurrence("bought_together", made.artifact("startups"), early.catalogue)
    lists = metrics.top_k(score_people(engine, panel), panel.eligible, 3)
    assert (lists % 2 == (panel.users % 2)[:, None]).all()


def test_two_runs_give_the_same_bytes_and_progress_is_told():
    material, told = club_material()[0], []
    steps = lambda done, most, word: told.append((done, most, word))  # noqa: E731  # one line says it
    first, second = (train_co_occurrence(material, CoOccurrenceParameters(window_hours=999), steps).arrays for _ in range(2))
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)
    assert told[-1] == (1, 1, "pairs")
    assert board.co_occurrence().arrays.keys() | {"categories", "category_people"} == first.keys()


@settings(max_examples=100, deadline=None)
@given(orders=bought, at_once=st.sampled_from([1, 7, 10**6]))
def test_people_behind_two_categories_equal_those_of_a_plain_loop(orders, at_once):
    records = [ItemRecord(f"i{row}", f"Item {row}", category=("a", "b", "c", None)[row % 4]) for row in range(8)]
    happenings = [Happening(f"u{user}", f"i{item}", "purchase", NOW - (100 - hour) * HOUR) for user, item, hour in orders]
    met = defaultdict(set)
    told = sorted((user, hour, item) for user, item, hour in orders)
    for user, items in naive_baskets(told, 24, 50):
        for one, other in combinations(items, 2):
            pair = (records[one].category, records[other].category)
            if None not in pair:
                met[pair].add(user)
                met[pair[::-1]].add(user)
    material, events = material_of(records, happenings, {"u9": {}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(co_occurrence, "PAIRS_AT_ONCE", at_once)
        found = co_occurrence._categories(baskets_of(events, ALL), material.catalogue.facets["category"])
    names = [name.decode() for name in found["categories"].tolist()]
    counts = {(one, other): found["category_people"][i, j] for i, one in enumerate(names) for j, other in enumerate(names)}
    assert counts == {pair: len(met[pair]) for pair in counts}


def test_a_site_without_categories_has_none_to_tell():
    made = train_co_occurrence(*club_material()[:1], CoOccurrenceParameters(window_hours=999))
    assert "categories" in made.arrays
    assert co_occurrence._categories(baskets_of(club_material()[1], ALL), None) == {}
