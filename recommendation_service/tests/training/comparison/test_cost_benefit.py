from dataclasses import replace

import numpy as np
import pytest

from recommendation_service.tests.support.exports import NOW, Happening, clubs
from recommendation_service.tests.support.materials import PLAIN, material_of
from recommendation_service.training.comparison.cost_benefit import EngineAnswers, Verdict, judge
from recommendation_service.training.evaluation.evaluator import Answers, build_evaluation_users
from recommendation_service.training.evaluation.metrics import Gain
from recommendation_service.training.evaluation.splits import take

PEOPLE = 120
CHEAPER = {"popular": (0, 0), "ease": (1, 0)}
GOOD, BAD = [23, 0, 1], [2, 3, 4]  # everybody wants row 23, on top of the good list


def panel():
    """Everybody wants item 23; every third has no past, every third five interactions, every third twenty."""
    counts = [(0, 5, 20)[person % 3] for person in range(PEOPLE)]
    happenings = [
        Happening(f"u{person:03d}", f"i{row:03d}", "like", NOW - 10)
        for person, count in enumerate(counts)
        for row in range(count)
    ]
    happenings += [Happening(f"u{person:03d}", "i023", "like", NOW) for person in range(PEOPLE)]
    material, events = material_of(clubs()[0], happenings)
    early = material.as_of(take(events, events.times < NOW), PLAIN, NOW)
    return build_evaluation_users(early, take(events, events.times >= NOW))


PANEL = panel()
COUNTS = PANEL.material.histories.counts[PANEL.users]


def lists(good, answered=None):
    """The good list where `good`, the bad one elsewhere; nothing for people it has nothing to say for."""
    found = np.where(np.asarray(good)[:, None], np.array(GOOD), np.array(BAD))
    found[~(np.ones(PEOPLE, dtype=bool) if answered is None else answered)] = -1
    return Answers(found.astype(np.int64), 24)


def lot(share, seed):
    return np.random.default_rng(seed).random(PEOPLE) < share


def heard(**answers):
    return EngineAnswers.of(PANEL, answers, "popular" if "popular" in answers else None)


def both(**shares):
    """Validation and test where each method is right for a share of the people, drawn anew for each part."""
    return tuple(
        heard(**{name: lists(lot(share, 10 * place + part)) for place, (name, share) in enumerate(shares.items())})
        for part in (1, 2)
    )


def test_a_method_that_is_right_more_often_is_worth_its_cost():
    verdict = judge("als", CHEAPER, *both(popular=0.1, ease=0.3, als=0.7))
    assert verdict.recommended
    assert verdict.rival == "ease"
    assert verdict.summary().startswith("als beats ease, the best cheaper one (+0.")
    assert verdict.summary().endswith("120 people): worth its cost")


@pytest.mark.parametrize("seed", range(6))
def test_a_method_made_of_noise_is_refused(seed):
    def part(number):
        rng = np.random.default_rng(1000 * seed + number)
        noise = Answers(rng.permuted(np.tile(np.arange(24), (PEOPLE, 1)), axis=1)[:, :3], 24)
        return heard(popular=lists(lot(0.3, 7)), ease=lists(lot(0.6, 8)), two_tower=noise)

    verdict = judge("two_tower", CHEAPER, part(1), part(2))
    assert not verdict.recommended
    assert verdict.summary().startswith("two_tower is worse than ease here (-0.")
    assert verdict.summary().endswith("120 people): switch it off")


@pytest.mark.parametrize("seed", range(6))
def test_a_method_as_good_as_a_cheaper_one_is_refused(seed):
    drawn = [[lists(lot(0.4, 100 * seed + 10 * part + who)) for who in (1, 2)] for part in (1, 2)]
    valid, test = (heard(popular=popular, als=als) for popular, als in drawn)
    verdict = judge("als", {"popular": (0, 0)}, valid, test)
    assert not verdict.recommended
    assert " does not beat popular here (" in verdict.summary()


def test_of_many_methods_that_differ_by_nothing_hardly_any_is_praised():
    def drawn(seed):
        return heard(popular=lists(lot(0.4, 2 * seed)), als=lists(lot(0.4, 2 * seed + 1)))

    verdicts = [judge("als", {"popular": (0, 0)}, drawn(2 * look), drawn(2 * look + 1)) for look in range(200)]
    assert sum(one.recommended for one in verdicts) <= 6  # 3 %
    assert sum(one.gain.sure for one in verdicts) > sum(one.recommended for one in verdicts)


def test_the_rival_is_chosen_on_validation_and_the_test_part_has_no_say():
    valid = heard(popular=lists(lot(0.1, 1)), ease=lists(lot(0.5, 2)), als=lists(lot(0.9, 3)))
    for popular in (0.0, 0.8):
        test = heard(popular=lists(lot(popular, 4)), ease=lists(lot(0.5, 5)), als=lists(lot(0.9, 6)))
        assert judge("als", CHEAPER, valid, test).rival == "ease"


def test_of_equal_rivals_the_cheapest_is_the_measure():
    same = lists(lot(0.3, 1))
    part = heard(popular=same, ease=same, als=lists(lot(0.3, 2)))
    assert judge("als", CHEAPER, part, part).rival == "popular"


def test_better_on_the_test_part_alone_is_chance():
    valid = heard(popular=lists(lot(0.6, 1)), als=lists(lot(0.3, 2)))
    test = heard(popular=lists(lot(0.1, 3)), als=lists(lot(0.8, 4)))
    verdict = judge("als", {"popular": (0, 0)}, valid, test)
    assert verdict.gain.sure
    assert not verdict.recommended
    assert "120 people), and not on validation: switch it off" in verdict.summary()


def test_a_method_is_not_praised_for_people_whom_popular_items_serve_as_well():
    known = COUNTS >= 20
    everybody = np.ones(PEOPLE, dtype=bool)
    part = heard(popular=lists(everybody), ease=lists(everybody, known), als=lists(everybody))
    verdict = judge("als", CHEAPER, part, part)
    assert verdict.gain == Gain(0.0, 0.0, 0.0, PEOPLE, 0)
    assert not verdict.recommended


def test_only_people_it_answers_for_count():
    known = COUNTS >= 5
    part = heard(popular=lists(~known), als=lists(known, known))
    verdict = judge("als", {"popular": (0, 0)}, part, part)
    assert verdict.gain.people == int(known.sum())
    assert verdict.recommended


def test_a_method_for_newcomers_may_stay_for_them():
    new, everybody = COUNTS == 0, np.ones(PEOPLE, dtype=bool)
    first = new & (np.cumsum(new) == 1)  # one of them is served better: no proof, and no loss
    part = heard(popular=lists(~everybody), ease=lists(everybody, ~new), two_tower=lists(first))
    verdict = judge("two_tower", CHEAPER, part, part)
    assert not verdict.recommended
    assert (verdict.newcomers, verdict.rivals_newcomers, verdict.alone.people) == (1, 0, 40)
    answered = "it answers for 100% of them, ease for 0%"
    assert f"switch it off, or keep it for newcomers ({answered}; there +0.0250, +0.0000 to +0.0" in verdict.summary()


def test_a_few_newcomers_are_too_few_to_tell_either_way():
    few, everybody = (COUNTS == 0) & (np.cumsum(COUNTS == 0) <= 5), np.ones(PEOPLE, dtype=bool)
    part = heard(popular=lists(few), ease=lists(everybody, ~few), two_tower=lists(~everybody))
    assert "ease for 88%; 5 are too few to tell)" in judge("two_tower", CHEAPER, part, part).summary()


def test_newcomers_whom_popular_items_serve_better_are_no_reason_to_keep_it():
    new, everybody = COUNTS == 0, np.ones(PEOPLE, dtype=bool)
    part = heard(popular=lists(new), ease=lists(everybody, ~new), two_tower=lists(~everybody))
    assert judge("two_tower", CHEAPER, part, part).summary().endswith("switch it off")


def test_a_segment_in_which_it_is_better_is_named():
    hot = COUNTS >= 20
    part = heard(popular=lists(~hot), als=lists(hot))
    verdict = judge("als", {"popular": (0, 0)}, part, part)
    assert list(verdict.better_for) == ["20+"]
    assert ", or keep it for people with 20+ interactions (+" in verdict.summary()


def test_nobody_to_tell_by_is_said_and_nothing_recommended():
    few = np.arange(PEOPLE) < 5
    part = heard(popular=lists(~few), als=lists(few, few))
    verdict = judge("als", {"popular": (0, 0)}, part, part)
    assert not verdict.recommended
    assert verdict.summary() == "als: it answers for 5 people of the test part, too few to recommend it over popular"
    silent = heard(popular=lists(~few), als=lists(few, np.zeros(PEOPLE, dtype=bool)))
    assert "it answers for no user of the test part" in judge("als", {"popular": (0, 0)}, silent, silent).summary()


def test_the_cheapest_method_is_judged_by_nobody():
    part = heard(popular=lists(lot(0.5, 1)))
    assert judge("popular", {}, part, part) is None
    assert judge("popular", {"not_measured": (0, 0)}, part, part) is None


LOST = Verdict("two_tower", "als", Gain(-0.004, -0.011, 0.003, 300, 90))


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ({}, "two_tower does not beat als here (-0.0040, -0.0110 to +0.0030; 300 people): switch it off"),
        ({"member_of": ("ensemble",)}, "keep it as a member of ensemble"),
        ({"also_for": ("similar",)}, "keep it for similar, where lists are not about a person"),
        ({"first_on": ("home",)}, "let als go first instead on home, and switch it off"),
    ],
)
def test_what_to_do_depends_on_where_it_is_used(where, told):
    assert replace(LOST, **where).summary().endswith(told)
