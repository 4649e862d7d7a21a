"""What is worked out of two things that meet: distances, expected bids, what a network reads, what rules say."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.core.numeric import Floats
from recommendation_service.datasets.pair_features import PairTable, features, join_pairs
from recommendation_service.datasets.pair_rules import read_rules, rule_scores
from recommendation_service.domain.side import PairSide
from recommendation_service.errors import ConfigurationError
from recommendation_service.use_cases.loader import load
from recommendation_service.use_cases.schema import PairConfig

NAN = float("nan")
FOUND = load("cleaning").pairs
assert FOUND is not None
PAIR_CONFIG: PairConfig = FOUND
RULES = read_rules(load("cleaning").engines["rule_based"].options["parts"], where="cleaning")
ACROPOLIS, PIRAEUS = (37.9715, 23.7257), (37.9420, 23.6465)  # 7.7 km apart

known = st.none() | st.floats(-1e12, 1e12)


def job(**numbers: float) -> PairSide:
    told = {"latitude": ACROPOLIS[0], "longitude": ACROPOLIS[1], "hours": 4.0, "budget": 80.0, "eco_wanted": 0.0, **numbers}
    return PairSide.of(["5"], [told], [{"property_type": "flat", "client_id": "c7"}])


def cleaners(*told: dict[str, float], word: str = "flat") -> PairSide:
    return PairSide.of([str(10 + one) for one in range(len(told))], told, [{"primary_property_type": word}] * len(told))


def one_part(kind: str, pairs: PairTable, **options: Any) -> Floats:
    rules = read_rules({"part": {"weight": 1, "kind": kind, "options": options}}, where="here")
    return rule_scores(rules, pairs).parts["part"]


def column(**values: list[float]) -> PairTable:
    numbers = {name: np.array(own, dtype=np.float32) for name, own in values.items()}
    return PairTable(len(next(iter(numbers.values()))), numbers, {})


def test_one_job_meets_every_cleaner() -> None:
    pairs = join_pairs(PAIR_CONFIG, job(), cleaners({"usual_rate": 15.0}, {"usual_rate": 20.0}))
    assert pairs.n == 2
    assert pairs.number("budget").tolist() == [80, 80]
    assert pairs.number("usual_rate").tolist() == [15, 20]
    assert pairs.text("property_type").tolist() == ["flat", "flat"]
    assert pairs.text("left_owner").tolist() == ["c7", "c7"]
    assert pairs.text("right_owner").tolist() == ["10", "11"]


def test_nobody_to_meet_is_no_pair() -> None:
    assert join_pairs(PAIR_CONFIG, job(), cleaners()).n == 0
    assert join_pairs(PAIR_CONFIG, PairSide(()), cleaners({})).n == 0


def test_pairs_of_one_length_meet_row_by_row() -> None:
    jobs = PairSide.of(["1", "2"], [{"hours": 2.0}, {"hours": 3.0}])
    pairs = join_pairs(PAIR_CONFIG, jobs, cleaners({"usual_rate": 10.0}, {"usual_rate": 20.0}))
    assert pairs.number("bid").tolist() == [20, 60]


def test_distance_is_that_of_the_map() -> None:
    far = {"base_latitude": PIRAEUS[0], "base_longitude": PIRAEUS[1]}
    here = {"base_latitude": ACROPOLIS[0], "base_longitude": ACROPOLIS[1]}
    found = join_pairs(PAIR_CONFIG, job(), cleaners(far, here, {})).number("distance_km")
    assert found[0] == pytest.approx(7.7, abs=0.1)
    assert found[1] == pytest.approx(0, abs=1e-3)
    assert np.isnan(found[2])


def test_a_placed_bid_is_kept_and_a_missing_one_is_the_usual_rate_for_the_hours() -> None:
    pairs = join_pairs(PAIR_CONFIG, job(), cleaners({"usual_rate": 15.0, "bid": 50.0}, {"usual_rate": 15.0}, {}))
    np.testing.assert_array_equal(pairs.number("bid"), np.array([50, 60, np.nan], dtype=np.float32))


def test_an_unknown_column_is_unknown_everywhere() -> None:
    pairs = join_pairs(PAIR_CONFIG, job(), cleaners({}, {}))
    assert np.isnan(pairs.number("nothing_of_the_kind")).all()
    assert pairs.text("nothing_of_the_kind").tolist() == ["", ""]


def test_a_network_reads_the_features_in_the_files_order_and_scale() -> None:
    pairs = join_pairs(
        PAIR_CONFIG, job(size_m2=80.0), cleaners({"overall_score": 75.0, "total_jobs": 19.0, "usual_rate": 15.0})
    )
    (row,) = features(PAIR_CONFIG, pairs)
    told = dict(zip([one.name for one in PAIR_CONFIG.features], row.tolist(), strict=True))
    assert told["size_m2"] == pytest.approx(0.08)
    assert told["overall_score"] == pytest.approx(0.75)
    assert told["total_jobs"] == pytest.approx(np.log(20) / 5)
    assert told["latitude"] == pytest.approx((ACROPOLIS[0] - 37.9838) / 0.15, abs=1e-4)
    assert told["bid"] == pytest.approx(0.06)
    assert np.isnan(told["average_rating"])


def test_what_has_no_logarithm_is_unknown() -> None:
    (row,) = features(PAIR_CONFIG, join_pairs(PAIR_CONFIG, job(), cleaners({"total_jobs": -5.0})))
    assert np.isnan(row[[one.name for one in PAIR_CONFIG.features].index("total_jobs")])


def test_a_level_stays_within_0_and_100() -> None:
    assert one_part("level", column(of=[-5.0, 40.0, 120.0]), of="of").tolist() == [0, 40, 100]


def test_nearer_is_better_up_to_the_best() -> None:
    found = one_part("near", column(km=[0.0, 2.0, 13.5, 25.0, 90.0, NAN]), of="km", best=2, worst=25)
    np.testing.assert_allclose(found, [100, 100, 50, 0, 0, NAN])


def test_a_price_counts_against_the_budget() -> None:
    pairs = column(price=[70.0, 105.0, 140.0, 200.0, NAN, 1.0], budget=[100.0, 100.0, 100.0, 100.0, 100.0, 0.0])
    found = one_part("affordable", pairs, price="price", budget="budget")
    np.testing.assert_allclose(found, [100, 50, 0, 0, NAN, 0], atol=1e-4)


def test_somebody_who_takes_nothing_now_has_no_time() -> None:
    pairs = column(taken=[0.0, 5.0, 12.0, 0.0, NAN], most=[10.0, 10.0, 10.0, 10.0, 10.0], open=[1.0, 1.0, 1.0, 0.0, 1.0])
    assert one_part("free", pairs, taken="taken", most="most", open="open").tolist() == [100, 50, 0, 0, 100]


@pytest.mark.parametrize(
    ("wanted", "known_for", "eco_wanted", "eco_share", "score"),
    [
        ("flat", "flat", 0.0, 20.0, 100),
        ("flat", "villa", 0.0, 20.0, 40),
        ("flat", "flat", 1.0, 20.0, 60),
        ("flat", "villa", 1.0, 100.0, 70),
        ("", "flat", 1.0, 30.0, 30),
        ("flat", "", 0.0, 30.0, NAN),
        ("villa", "villa", 1.0, 5e9, 100.0),
        ("villa", "villa", 1.0, -5e9, 50.0),
    ],
)
def test_a_speciality_is_the_kind_of_place_and_the_way_it_is_cleaned(
    wanted: str, known_for: str, eco_wanted: float, eco_share: float, score: float
) -> None:
    numbers = {name: np.array([value], dtype=np.float32) for name, value in (("eco", eco_wanted), ("share", eco_share))}
    pairs = PairTable(1, numbers, {"wanted": np.array([wanted]), "known": np.array([known_for])})
    found = one_part("speciality", pairs, wanted="wanted", known_for="known", eco_wanted="eco", eco_share="share")
    np.testing.assert_allclose(found, [score])


@given(told=st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(("overall_score", "usual_rate", "jobs_ahead"), known))))
def test_a_total_is_never_outside_0_and_100_and_never_outside_its_parts(told: list[dict[str, float | None]]) -> None:
    own = [{name: value for name, value in one.items() if value is not None} for one in told]
    scores = rule_scores(RULES, join_pairs(PAIR_CONFIG, job(), cleaners(*own)))
    parts = np.stack(list(scores.parts.values())) if told else np.empty((5, 0))
    for place, total in enumerate(scores.total.tolist()):
        heard = parts[:, place][~np.isnan(parts[:, place])]
        assert np.isnan(total) == (heard.size == 0)
        assert heard.size == 0 or heard.min() - 1e-3 <= total <= heard.max() + 1e-3


def test_sentences_are_for_the_side_that_is_recommended_from() -> None:
    told = {"overall_score": 90.0, "base_latitude": ACROPOLIS[0], "base_longitude": ACROPOLIS[1]}
    pairs = join_pairs(PAIR_CONFIG, job(), cleaners(told, {"overall_score": 60.0}))
    scores = rule_scores(RULES, pairs)
    kind = "Specializes in this property type"
    assert scores.sentences(RULES, pairs, 0, "cleaners") == (
        "High quality score (90/100)",
        "Nearby location (0.0 km away)",
        kind,
    )
    assert scores.sentences(RULES, pairs, 0, "jobs") == ("Near you (0.0 km away)", "The kind of property you clean most")
    assert scores.sentences(RULES, pairs, 1, "cleaners") == (kind,)
    assert scores.sentences(RULES, pairs, 0, "nothing") == ()


def test_a_sentence_that_names_what_is_unknown_is_not_said() -> None:
    said = {"cleaners": "Good, and asks {hourly_rate:.0f} an hour"}
    rules = read_rules(
        {"one": {"weight": 1, "kind": "level", "options": {"of": "overall_score"}, "reason_template": said}}, where="here"
    )
    good, rate = {"overall_score": 90.0}, {"hourly_rate": 15.0}
    pairs = join_pairs(PAIR_CONFIG, job(), cleaners(good, {**good, **rate}))
    scores = rule_scores(rules, pairs)
    assert scores.sentences(rules, pairs, 0, "cleaners") == ()
    assert scores.sentences(rules, pairs, 1, "cleaners") == ("Good, and asks 15 an hour",)
    assert scores.sentences(rules, join_pairs(PAIR_CONFIG, job(), cleaners(good)), 0, "cleaners") == ()


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (
            {"weight": 1, "kind": "level", "option": {}},
            "does not know 'option'; its keys are kind, options, reason_template, weight",
        ),
        ({"kind": "level"}, "needs a weight of 0 or more, not None"),
        ({"weight": True, "kind": "level"}, "needs a weight of 0 or more, not True"),
        ({"weight": 0, "kind": "level", "options": {"of": "x"}}, "at least one part needs a weight above 0"),
        ({"weight": 1}, "is of kind ''; there are affordable, free, level, near, speciality"),
        ({"weight": 1, "kind": "level", "says": {}}, "does not know 'says'; use 'reason_template'; its keys are"),
        ({"weight": 1, "kind": "level", "options": {"off": "x"}}, "does not know 'off'; its options are of"),
        (
            {"weight": 1, "kind": "level", "options": {"of": "x"}, "reason_template": {"cleaners": "{0}"}},
            "may name columns only",
        ),
        (
            {"weight": 1, "kind": "level", "options": {"of": "x"}, "reason_template": {"cleaners": "{x.real}"}},
            "may name columns only",
        ),
        ({"weight": 1, "kind": "level", "options": {"of": "x"}, "reason_template": {"cleaners": "{x"}}, "cannot be read"),
        ({"weight": 1, "kind": "level", "options": {"of": "x"}, "reason_template": {"cleaners": "{x:d}"}}, "cannot be read"),
    ],
)
def test_a_wrong_part_names_the_place_and_the_word(part: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^here: .*{told}"):
        read_rules({"one": part}, where="here")


def test_no_parts_at_all_are_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="at least one part"):
        read_rules({}, where="here")


def test_an_unknown_derived_column_names_its_place() -> None:
    wrong = PAIR_CONFIG.model_copy(update={"derived": {"far": PAIR_CONFIG.derived["bid"].model_copy(update={"kind": "guess"})}})
    with pytest.raises(ConfigurationError, match=r"\[pairs\], derived 'far' is of kind 'guess'; there are distance, expected"):
        join_pairs(wrong, job(), cleaners({}))
