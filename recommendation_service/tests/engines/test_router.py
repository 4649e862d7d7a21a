import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.engines.router import ByCount, Fixed, Router
from recommendation_service.errors import ConfigurationError
from recommendation_service.pipeline.surface_pipeline import build_router
from recommendation_service.tests.engines import board
from recommendation_service.use_cases.schema import Part

SEGMENTS = {"cold": "content_based", "warm": "als", "hot": "ensemble"}


def chosen(router: Router, count: int) -> str:
    return router.choose(board.query(board.catalogue(4), count=count))


@pytest.mark.parametrize(
    ("count", "engine"),
    [(0, "content_based"), (4, "content_based"), (5, "als"), (19, "als"), (20, "ensemble"), (999, "ensemble")],
)
def test_the_stated_thresholds_split_cold_warm_and_hot(count: int, engine: str) -> None:
    assert chosen(ByCount(**SEGMENTS), count) == engine


@given(low=st.integers(0, 50), more=st.integers(0, 50), count=st.integers(0, 120))
def test_every_count_has_exactly_one_segment(low: int, more: int, count: int) -> None:
    router = ByCount(**SEGMENTS, cold_below=low, warm_below=low + more)
    wanted = "cold" if count < low else "warm" if count < low + more else "hot"
    assert router.segment(board.query(board.catalogue(4), count=count)) == wanted


def test_the_count_is_of_events_and_not_of_items() -> None:
    router = ByCount(**SEGMENTS)
    assert router.choose(board.query(board.catalogue(), (0, 2), count=6)) == "als"


def test_fixed_is_always_the_same() -> None:
    router = Fixed(engine="hybrid")
    assert {chosen(router, count) for count in (0, 10, 100)} == {"hybrid"}
    assert router.segment(board.query(board.catalogue(4))) == ""


def test_the_start_up_line_tells_the_rule() -> None:
    labels = {"content_based": "content", "als": "ALS"}
    line = ByCount(**SEGMENTS).summary(labels)
    assert line == "cold start(<5) → content, warm(5-19) → ALS, hot(20+) → ensemble"
    assert ByCount(**SEGMENTS, cold_below=1, warm_below=1).summary(labels) == "cold start(<1) → content, from 1 on → ensemble"
    assert Fixed(engine="als").summary(labels) == "ALS"


@pytest.mark.parametrize(("low", "high"), [(-1, 5), (6, 5)])
def test_thresholds_that_cross_stop_the_start(low: int, high: int) -> None:
    part = Part(kind="by_count", options={**SEGMENTS, "cold_below": low, "warm_below": high})
    with pytest.raises(ConfigurationError, match="startups: surface 'home', router by_count: cold_below"):
        build_router(part, where="startups: surface 'home'")


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (Part(kind="by_counts"), "there are bandit, by_count, fixed"),
        (Part(kind="by_count", options={**SEGMENTS, "cold_bellow": 5}), "does not know 'cold_bellow'.*cold_below"),
        (Part(kind="by_count", options={"cold": "als", "warm": "als"}), "hot: Field required"),
        (Part(kind="fixed", options={"engine": ["als"]}), "engine: Input should be a valid string"),
    ],
)
def test_a_typo_stops_the_start_and_lists_the_known_words(part: Part, told: str) -> None:
    with pytest.raises(ConfigurationError, match=f"startups: surface 'home'.*{told}"):
        build_router(part, where="startups: surface 'home'")
