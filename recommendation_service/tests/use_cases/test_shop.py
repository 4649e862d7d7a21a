"""The shop's file, served: who answers on each surface, and who when something is missing."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.performance import stages
from recommendation_service.domain.answer import Answer
from recommendation_service.domain.request import RecommendationRequest
from recommendation_service.engines.base import ENGINE_ERRORS
from recommendation_service.services.recommendation_service import RecommendationService
from recommendation_service.tests.support.exports import NOW
from recommendation_service.tests.support.service import learned_arrays, settings_under
from recommendation_service.use_cases.loader import load
from recommendation_service.wiring import build_service

BUYER = "u0001"
PEOPLE = 60


@pytest.fixture(scope="module", autouse=True)
def failures_show() -> Iterator[None]:
    ENGINE_ERRORS.reraise = True
    yield
    ENGINE_ERRORS.reraise = False


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "_trees", lambda _root: learned_arrays())
        stages.make_shop(root, items=240, people=PEOPLE)
    return root


def served(root: Path) -> RecommendationService:
    return build_service(settings_under(root, RS_USE_CASES="shop", RS_USE_CASES_DIR=str(root / "use_cases")))


@pytest.fixture(scope="module")
def shop(whole: Path) -> RecommendationService:
    return served(whole)


def without(whole: Path, root: Path, *kinds: str) -> RecommendationService:
    """A service on a copy of the shop where these models were never published."""
    shutil.copytree(whole, root, dirs_exist_ok=True)
    for kind in kinds:
        (root / "models" / "shop" / f"{kind}.current").unlink()
    return served(root)


def homepage(service: RecommendationService, user_id: str = BUYER, limit: int = 12) -> Answer:
    return service.recommend(
        RecommendationRequest(user_id=user_id, limit=limit, explain=True), use_case="shop", surface="homepage", now=NOW
    )


def about(service: RecommendationService, surface: str, *item_ids: str) -> Answer:
    return service.recommend(
        RecommendationRequest(item_ids=item_ids, limit=4, explain=True), use_case="shop", surface=surface, now=NOW
    )


def bought_pair(service: RecommendationService) -> str:
    """A product with a partner."""
    engine = service.runtime.find("shop", "cart")[0].catalogues["shop"].engines["bought_together"]
    row = int(np.flatnonzero(np.diff(engine._pairs.indptr))[0])  # type: ignore[attr-defined]  # no request would tell
    return f"p{row:05d}"


def test_the_stated_weights_and_candidates_are_those_of_the_list() -> None:
    options = load("shop").engines["hybrid"].options
    assert options["members"] == {"content_based": 0.5, "collaborative": 0.3, "popular": 0.2}
    assert options["candidate_generators"] == {"content_based": 50, "collaborative": 50}
    assert load("shop").weighting.decay_days == 30


def test_a_buyers_homepage_is_the_hybrid_of_about_a_hundred_candidates(shop: RecommendationService) -> None:
    slate = homepage(shop)
    assert (slate.method_used, slate.degradation) == ("hybrid", [])
    assert {"content_based", "collaborative", "popular", "score"} <= {
        name for one in slate.recommendations for name in one.parts
    }
    retrieved = next(stage for stage in slate.stages if stage.name == "retrieve")
    assert 50 <= int(retrieved.detail.split(": ")[1].split()[0]) <= 100


def test_the_four_stages_run_in_order(shop: RecommendationService) -> None:
    names = [stage.name for stage in homepage(shop).stages]
    wanted = ["resolve", "generate", "score", "retrieve", "rescore", "freshness", "rules"]
    assert [name for name in names if name in wanted] == wanted


def test_no_category_has_more_than_three(shop: RecommendationService) -> None:
    categories = [int(one.item_id[1:]) % stages.CATEGORIES for one in homepage(shop, limit=50).recommendations]
    assert max(categories.count(category) for category in categories) == 3


def test_a_product_page_a_cart_and_bought_together_have_their_own_engines(shop: RecommendationService) -> None:
    item = bought_pair(shop)
    assert about(shop, "product", item).method_used == "goes_with"
    assert about(shop, "cart", item, "p00007").method_used == "goes_with"
    together = about(shop, "frequently-bought-together", item)
    assert (together.method_used, together.degraded) == ("bought_together", False)
    assert item not in {one.item_id for one in together.recommendations}


def test_a_newcomer_sees_what_is_popular(shop: RecommendationService) -> None:
    slate = homepage(shop, "nobody-yet")
    assert slate.method_used == "popular"
    assert len(slate.recommendations) == 12


@pytest.mark.parametrize(
    ("gone", "method", "told"),
    [
        (("similar_users",), "hybrid", "similar_users"),
        (("co_occurrence",), "hybrid", "bought_together"),
        (("similar_users", "co_occurrence"), "hybrid", "collaborative"),
        (("embedding",), "hybrid", "content_based"),
        (("embedding", "similar_users", "co_occurrence"), "popular", "hybrid"),
        (("learned",), "hybrid", None),
    ],
)
def test_what_is_missing_is_told_and_somebody_answers(
    whole: Path, tmp_path: Path, gone: tuple[str, ...], method: str, told: str | None
) -> None:
    slate = homepage(without(whole, tmp_path, *gone))
    assert slate.method_used == method
    assert len(slate.recommendations) == 12
    assert (told is None) == (slate.degradation == [])
    assert told is None or told in {skip.engine for skip in slate.degradation}


def test_bought_together_falls_back_to_likeness(whole: Path, tmp_path: Path, shop: RecommendationService) -> None:
    item = bought_pair(shop)
    slate = about(without(whole, tmp_path, "co_occurrence"), "frequently-bought-together", item)
    assert slate.method_used == "content_based"
    assert len(slate.recommendations) == 4


def test_two_builds_of_one_shop_answer_alike(whole: Path, shop: RecommendationService) -> None:
    again = homepage(served(whole))
    assert [one.item_id for one in again.recommendations] == [one.item_id for one in homepage(shop).recommendations]
