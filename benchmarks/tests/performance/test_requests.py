"""What the benchmark of requests times is what it says it times."""

from pathlib import Path

import pytest

from benchmarks.performance import requests
from benchmarks.performance.engine_cost import CLICKER, Alone
from benchmarks.performance.synthetic import site as synthetic_site
from recommendation_service.settings import load_settings
from recommendation_service.tests.support.service import environment
from recommendation_service.wiring import build_service

ITEMS = 600


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Alone:
    root = tmp_path_factory.mktemp("world")
    synthetic_site.make_world(root, items=ITEMS, factors=8, dimension=8)
    service = build_service(load_settings(environment(root, RS_USE_CASES_DIR=str(root / "use_cases"))))
    return Alone.of(service, items=ITEMS, n_queries=3)


def test_every_engine_answers_every_query(alone: Alone) -> None:
    assert set(alone.engines) == set(synthetic_site.METHODS)
    for name, engine in alone.engines.items():
        for query in alone.queries:
            found = engine.retrieve(query, 10)
            assert found is not None, name
            assert len(found.candidates) == 10, name
            assert found.skips == (), name
    assert all(query.history.rows.size == synthetic_site.EVENTS_EACH for query in alone.queries)


def test_the_learned_blend_hears_all_that_a_learned_one_may_weigh(alone: Alone) -> None:
    found = alone.engines["learned"].retrieve(alone.queries[0], 10)
    assert found is not None
    assert set(found.candidates.parts) == {"als", "two_tower", "ease", "next_item", "content_based", "popular"}


def test_each_method_is_timed(alone: Alone) -> None:
    assert all(0 < seconds < 60 for seconds in alone.seconds().values())
    assert 0 < alone.click_seconds() < 60


def test_a_click_that_changes_nothing_is_not_timed(alone: Alone) -> None:
    unmoved = Alone({**alone.engines, CLICKER: alone.engines["popular"]}, alone.queries)
    with pytest.raises(RuntimeError, match="changed no score"):
        unmoved.click_seconds()


def test_a_world_of_few_methods_has_their_models_only(tmp_path: Path) -> None:
    synthetic_site.make_world(tmp_path, items=ITEMS, methods=synthetic_site.SHIPPED, factors=8, dimension=8)
    assert {path.stem for path in (tmp_path / "models" / "bench").glob("*.current")} == {"als", "two_tower", "content"}


def test_what_is_asked_over_http_is_what_the_engines_are_asked_alone(alone: Alone) -> None:
    body = requests.body_of(2, ITEMS)
    rows = alone.queries[2].catalogue.ids.rows([event["item_id"] for event in body["history"]])
    assert rows.tolist() == alone.queries[2].history.rows.tolist()


def test_a_folder_without_a_checkout_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        requests.main(["--against", str(tmp_path)])
    assert "holds no checkout" in capsys.readouterr().err
