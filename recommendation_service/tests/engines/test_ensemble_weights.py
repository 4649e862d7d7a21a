from collections.abc import Mapping

import numpy as np
import pytest

from recommendation_service.core.numeric import AnyArray
from recommendation_service.domain.query import Query
from recommendation_service.engines.base import Engine
from recommendation_service.engines.ensemble import Ensemble, Weights
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing.store import Artifact
from recommendation_service.tests.engines import board
from recommendation_service.tests.engines.calls import candidates, skips
from recommendation_service.tests.engines.says import Says, pair
from recommendation_service.tests.support.service import ensemble_arrays

NAMES = {"als", "two_tower"}
BY_SEGMENT: dict[str, AnyArray] = {
    "segment_weights": np.array([[0, 1], [0.5, 0.5], [2, 0]], dtype=np.float32),
    "segment_bounds": np.array([0, 5, 20], dtype=np.int64),
}


def artifact(**changes: AnyArray) -> Artifact:
    return board.artifact("ensemble", {**ensemble_arrays(), **changes})


def built(members: Mapping[str, Engine]) -> Ensemble:
    return Ensemble.from_members(
        "ensemble", members, artifact(**BY_SEGMENT), members={"als": 0.6, "two_tower": 0.4}, weights="learned"
    )


def of_someone_with(count: int, subject: tuple[int, ...] = (), n: int = 3) -> Query:
    return board.query(board.catalogue(n), count=count, eligible=np.ones(n, dtype=np.bool_), subject=subject)


@pytest.mark.parametrize(("count", "als"), [(0, 0.0), (4, 0.0), (5, 0.5), (19, 0.5), (20, 1.0), (10_000, 1.0)])
def test_the_weights_are_those_of_the_segment_that_the_persons_count_falls_into(count: int, als: float) -> None:
    assert Weights.learned(artifact(**BY_SEGMENT), NAMES).of(of_someone_with(count)) == {"als": als, "two_tower": 1 - als}


def test_a_request_about_items_gets_the_common_weights() -> None:
    weights = Weights.learned(artifact(**BY_SEGMENT), NAMES)
    assert weights.of(of_someone_with(30, subject=(1,))) == weights.common == {"als": 0.5, "two_tower": 0.5}


def test_an_artifact_from_before_there_were_segments_serves_everybody_alike() -> None:
    weights = Weights.learned(artifact(), NAMES)
    assert weights.of(of_someone_with(0)) == weights.of(of_someone_with(99)) == {"als": 0.5, "two_tower": 0.5}
    assert (weights.bounds, weights.segments) == ((), ())


def test_the_ensemble_answers_newcomers_and_regulars_by_their_own_weights() -> None:
    ensemble = built(pair([0, 5, 10], [10, 5, 0]))
    expected = {1: [1, 0.5, 0], 10: [0.5, 0.5, 0.5], 30: [0, 0.5, 1]}
    for count, wanted in expected.items():
        scores = ensemble.scores(of_someone_with(count))
        assert scores is not None
        np.testing.assert_allclose(scores, wanted)


def test_a_member_that_weighs_nothing_for_a_segment_is_not_asked_for_it_nor_missed() -> None:
    members = pair([0, 5, 10], None)
    ensemble, regular = built(members), of_someone_with(30)
    assert candidates(ensemble, regular, 2) is not None  # the only member with a weight is enough
    assert skips(ensemble, regular) == ()
    assert members["two_tower"].asked == 0  # type: ignore[attr-defined]  # only these fakes count
    between = of_someone_with(10)
    assert candidates(ensemble, between, 2) is None  # two have a weight here, and one cannot say
    assert [skip.engine for skip in skips(ensemble, between)] == ["two_tower"]


def test_a_member_that_is_heard_in_one_segment_only_is_loaded() -> None:
    alone = np.array([1, 0], dtype=np.float32)
    ensemble = Ensemble.from_members(
        "ensemble",
        {"als": Says("als", [0, 1, 2]), "two_tower": Says("two_tower", [2, 1, 0])},
        artifact(**BY_SEGMENT, weights=alone),
        members={"als": 1.0, "two_tower": 0.0},
        weights="learned",
    )
    assert ensemble.version == "ensemble_v1+als_v1+two_tower_v1"
    scores = ensemble.scores(of_someone_with(1))
    assert scores is not None
    np.testing.assert_allclose(scores, [1, 0.5, 0])


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("segment_bounds", np.array([1, 5, 20])),
        ("segment_bounds", np.array([0, 20, 5])),
        ("segment_bounds", np.array([0, 5, 5])),
        ("segment_bounds", np.array([0, 5], dtype=np.uint8)),
        ("segment_bounds", np.array([0, 200, 5], dtype=np.uint8)),
        ("segment_bounds", np.array([], dtype=np.int64)),
        ("segment_bounds", np.array([0.0, 5.0, 20.0])),
        ("segment_weights", np.array([[0, 1], [0.5, 0.5]], dtype=np.float32)),
        ("segment_weights", np.ones((3, 3), dtype=np.float32)),
        ("segment_weights", np.array([[0, 1], [0, 0], [1, 0]], dtype=np.float32)),
        ("segment_weights", np.array([[0, 1], [-1, 2], [1, 0]], dtype=np.float32)),
        ("segment_weights", np.array([[0, 1], [np.nan, 1], [1, 0]], dtype=np.float32)),
        ("segment_weights", np.array([[0, 1], [np.inf, 1], [1, 0]], dtype=np.float32)),
    ],
)
def test_segments_that_are_damaged_or_do_not_fit_are_refused(name: str, wrong: AnyArray) -> None:
    with pytest.raises(ArtifactRefused, match="ensemble_v1"):
        Weights.learned(artifact(**{**BY_SEGMENT, name: wrong}), NAMES)


@pytest.mark.parametrize("name", BY_SEGMENT)
def test_one_array_of_segments_without_the_other_is_refused(name: str) -> None:
    with pytest.raises(ArtifactRefused, match="is missing"):
        Weights.learned(artifact(**{name: BY_SEGMENT[name]}), NAMES)


@pytest.mark.parametrize("weights", [[np.nan, 1], [np.inf, 1], [-1, 2], [0, 0]])
def test_common_weights_that_are_no_weights_are_refused(weights: list[float]) -> None:
    with pytest.raises(ArtifactRefused, match="cannot blend"):
        Weights.learned(artifact(weights=np.array(weights, dtype=np.float32)), NAMES)
