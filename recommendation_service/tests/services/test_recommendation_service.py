import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from recommendation_service.domain.answer import Answer
from recommendation_service.domain.history import PastEvent
from recommendation_service.domain.request import RecommendationRequest
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.base import ENGINE_ERRORS, Engine
from recommendation_service.engines.collaborative_als import CollaborativeALS
from recommendation_service.engines.content import Content
from recommendation_service.engines.ensemble import Ensemble
from recommendation_service.engines.popularity import Popularity
from recommendation_service.engines.two_tower import TwoTower
from recommendation_service.errors import ConfigurationError, NotFound
from recommendation_service.services.recommendation_service import RecommendationService
from recommendation_service.services.runtime import CatalogueRuntime, Runtime, UseCaseRuntime
from recommendation_service.tests.engines import board
from recommendation_service.tests.pipeline.setting import Says, all_rows, use_case

IDS = board.item_ids()


def real_engines() -> dict[str, Engine]:
    catalogue = board.catalogue()
    engines: dict[str, Engine] = {
        "als": CollaborativeALS("als", board.als(), catalogue),
        "two_tower": TwoTower("two_tower", board.two_tower(), catalogue),
        "content_based": Content("content_based", board.content(), catalogue),
        "popular": Popularity("popular", catalogue),
    }
    engines["ensemble"] = Ensemble.from_members("ensemble", engines, members={"als": 0.6, "two_tower": 0.4})
    return engines


def service(engines: dict[str, Engine] | None = None, *, log_key: bytes = b"", off: tuple[str, ...] = (), **surface):  # type: ignore[no-untyped-def]
    one = use_case(**surface).model_copy(update={"switched_off": off})
    shelf = CatalogueRuntime(board.catalogue(), real_engines() if engines is None else engines)
    return RecommendationService(Runtime.of([UseCaseRuntime(one, {"board": shelf})]), log_key=log_key)


AT = {"use_case": "tiles", "surface": "home", "now": board.NOW}


def ask(likes: int = 0, **words) -> RecommendationRequest:  # type: ignore[no-untyped-def]
    """Someone who liked that many white items, some of them again and again on other days."""
    past = tuple(PastEvent(IDS[2 * (at % 4)], "like", board.NOW - at * 86_400) for at in range(likes))
    return RecommendationRequest(**{"user_id": "abc-123", "history": past, "profile": {}, **words})


def colours(slate: Answer) -> set[str]:
    return {board.colour(IDS.index(one.item_id)) for one in slate.recommendations}


@pytest.mark.parametrize(
    ("likes", "method"), [(0, "popular"), (1, "content_based"), (4, "content_based"), (5, "als"), (19, "als"), (20, "ensemble")]
)
def test_cold_warm_and_hot_users_get_their_method(likes: int, method: str) -> None:
    slate = service().recommend(ask(likes), **AT)
    assert (slate.method_used, slate.interaction_count) == (method, likes)
    assert slate.degraded == (likes == 0)  # content was named, but has nothing to go by without a like or a profile
    assert len(slate.recommendations) == 10


def test_a_newcomer_with_a_profile_gets_what_it_asks_for() -> None:
    slate = service().recommend(ask(profile={"likes": ("black",)}, limit=5), **AT)
    assert (slate.method_used, slate.degraded, colours(slate)) == ("content_based", False, {"black"})
    assert slate.recommendations[0].reasons[0] == "Matches your likes: black"


def test_what_is_shown_suits_the_taste_and_was_never_seen() -> None:
    for likes in (3, 8, 25):
        slate = service().recommend(ask(likes, limit=8), **AT)
        assert colours(slate) == {"white"}
        assert {one.item_id for one in slate.recommendations}.isdisjoint(IDS[0 : 2 * min(likes, 4) : 2])


def test_whoever_has_seen_everything_gets_popular_items_again_and_is_told_so() -> None:
    past = tuple(PastEvent(one, "view", board.NOW) for one in IDS)
    no_more = PastEvent(IDS[5], "dismiss", board.NOW)
    slate = service().recommend(ask(history=(*past, no_more), limit=100, explain=True), **AT)
    assert slate.method_used == "popular"
    assert {one.item_id for one in slate.recommendations} == set(IDS) - {IDS[5]}
    assert {one.reasons[0] for one in slate.recommendations} == {"You have seen everything here; popular again"}
    assert [skip.code for skip in slate.degradation] == ["seen_everything"]
    scores = [one.score for one in slate.recommendations]
    assert scores == sorted(scores, reverse=True)


def test_what_cannot_be_had_stays_away_from_whoever_has_seen_everything() -> None:
    past = tuple(PastEvent(one, "view", board.NOW) for one in IDS)
    for in_stock, method in ((IDS[:2], "popular"), ([], "none")):
        shelf = CatalogueRuntime(replace(board.catalogue(), available=np.isin(IDS, in_stock)), real_engines())
        rules = [{"kind": "available"}, {"kind": "exclude_seen"}]
        asked = RecommendationService(Runtime.of([UseCaseRuntime(use_case(rules=rules), {"board": shelf})]))
        slate = asked.recommend(ask(history=past), **AT)
        assert (slate.method_used, {one.item_id for one in slate.recommendations}) == (method, set(in_stock))


def test_positions_count_from_one_and_scores_fall() -> None:
    slate = service().recommend(ask(25, limit=100), **AT)
    assert [one.position for one in slate.recommendations] == list(range(1, 21))  # 24 items, 4 of them seen
    scores = [one.score for one in slate.recommendations]
    assert scores == sorted(scores, reverse=True)
    assert len({one.item_id for one in slate.recommendations}) == 20


def test_reasons_of_both_models_are_given_for_an_ensemble() -> None:
    top = service().recommend(ask(25, profile={"taste": ("white",)}), **AT).recommendations[0]
    assert any(reason.startswith("Because you liked “Tile ") for reason in top.reasons)
    assert "Matches your taste: white" in top.reasons


def test_parts_are_given_when_asked_for_and_sum_to_the_score() -> None:
    plain, explained = service().recommend(ask(25), **AT), service().recommend(ask(25, explain=True), **AT)
    assert all(one.parts == {} for one in plain.recommendations)
    assert all(sum(one.parts.values()) == pytest.approx(one.score, abs=1e-5) for one in explained.recommendations)
    assert set(explained.recommendations[0].parts) == {"als", "two_tower"}


def test_reasons_are_worked_out_for_the_shown_items_only() -> None:
    engine = Says("popular", all_rows(24))
    service({"popular": engine}).recommend(ask(limit=3), **AT)
    assert engine.explained == [0, 1, 2]


def test_an_item_that_filled_the_list_is_explained_by_the_engine_that_proposed_it() -> None:
    engines: dict[str, Engine] = {"als": Says("als", {3: 1.0}), "popular": Says("popular", all_rows(24))}
    slate = service(engines).recommend(ask(10, limit=3), **AT)
    assert (slate.method_used, slate.degraded) == ("als", False)
    assert [one.reasons[0] for one in slate.recommendations] == ["als says so", "popular says so", "popular says so"]


def test_an_engine_that_cannot_give_reasons_costs_only_the_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mute(Says):
        def explain(self, query, rows, parts=None, basis=None) -> list[tuple[Reason, ...]]:  # type: ignore[no-untyped-def]
            self.explained.append(len(rows))
            raise KeyError(rows)

    monkeypatch.setattr(ENGINE_ERRORS, "reraise", False)
    mute = Mute("popular", all_rows(24))
    slate = service({"popular": mute}, router={"kind": "fixed", "options": {"engine": "popular"}}).recommend(ask(), **AT)
    assert len(slate.recommendations) == 10
    assert [(skip.engine, skip.code) for skip in slate.degradation] == [("popular", "partial")]
    assert len(mute.explained) == 1  # once it has failed it is not asked again


def test_switched_off_engines_are_skipped_and_told() -> None:
    slate = service(off=("als",)).recommend(ask(10), **AT)
    assert slate.method_used == "two_tower"
    assert [(skip.engine, skip.code) for skip in slate.degradation] == [("als", "switched_off")]


def test_a_filter_leaves_only_what_was_asked_for() -> None:
    slate = service().recommend(ask(10, filters={"category": ("black",)}, limit=5), **AT)
    assert (slate.method_used, colours(slate)) == ("als", {"black"})


def test_a_filter_that_nothing_passes_gives_an_empty_slate_with_a_reason() -> None:
    slate = service().recommend(ask(10, filters={"category": ("green",)}), **AT)
    assert (slate.recommendations, slate.method_used, slate.degraded) == ([], "none", True)
    assert "filtered away" in slate.degradation[0].detail


def test_an_empty_catalogue_gives_an_empty_slate_with_a_reason() -> None:
    shelf = CatalogueRuntime(board.catalogue(0), {"popular": Popularity("popular", board.catalogue(0))})
    slate = RecommendationService(Runtime.of([UseCaseRuntime(use_case(), {"board": shelf})])).recommend(ask(), **AT)
    assert (slate.recommendations, slate.degradation[0].detail) == ([], "board has no items")


def test_rerankers_and_trims_run_before_the_cut() -> None:
    capped = [{"kind": "exclude_seen"}, {"kind": "max_per_category", "options": {"limit": 2}}]
    slate = service(rules=capped).recommend(ask(10, limit=4), **AT)
    assert [board.colour(IDS.index(one.item_id)) for one in slate.recommendations] == ["white", "white", "black", "black"]
    varied = service(rerank=[{"kind": "diversity", "options": {"facet": "category", "weight": 1.0}}])
    assert colours(varied.recommend(ask(10, limit=4, explain=True), **AT)) == {"white", "black"}


def test_request_id_time_and_versions_are_in_the_slate() -> None:
    when = datetime.fromtimestamp(board.NOW, UTC).isoformat(timespec="milliseconds")
    given = service().recommend(ask(10, request_id="r-1"), **AT)
    made = service().recommend(ask(10), **AT)
    assert (given.request_id, given.generated_at, given.model_version) == ("r-1", when, "als_v1")
    assert len(made.request_id) == 32
    assert service().recommend(ask(25), **AT).model_version == "als_v1+two_tower_v1"


def test_an_unknown_use_case_or_surface_is_not_found_with_the_known_ones() -> None:
    with pytest.raises(NotFound, match="there are tiles"):
        service().recommend(RecommendationRequest(), **{**AT, "use_case": "shops"})
    with pytest.raises(NotFound, match="there are home"):
        service().recommend(RecommendationRequest(), **{**AT, "surface": "cart"})


def test_a_use_case_without_its_catalogue_does_not_start() -> None:
    with pytest.raises(ConfigurationError, match="catalogue 'board'"):
        UseCaseRuntime(use_case(), {})


def test_replacing_the_runtime_changes_the_next_answer() -> None:
    one = service({"popular": Says("popular", all_rows(24))})
    before = one.recommend(ask(limit=1), **AT).recommendations[0].item_id
    newer = CatalogueRuntime(board.catalogue(), {"popular": Says("popular", all_rows(24, top=5))})
    one.replace(Runtime.of([UseCaseRuntime(use_case(), {"board": newer})]))
    assert (before, one.recommend(ask(limit=1), **AT).recommendations[0].item_id) == (IDS[0], IDS[5])


def test_no_answer_mixes_two_runtimes() -> None:
    def runtime(top: int) -> Runtime:
        engine = Says("popular", all_rows(24, top=top))
        engine.version = f"v{top}"
        return Runtime.of([UseCaseRuntime(use_case(), {"board": CatalogueRuntime(board.catalogue(), {"popular": engine})})])

    one = RecommendationService(runtime(0))
    torn: list[Answer] = []

    def read() -> None:
        for _ in range(150):
            slate = one.recommend(ask(limit=3), **AT)
            if slate.recommendations[0].item_id != IDS[int(slate.model_version[1:])]:
                torn.append(slate)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(100):
        one.replace(runtime(turn % 20))
    for reader in readers:
        reader.join()
    assert not torn


def test_the_log_tells_who_has_how_many_and_who_answers(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="recommendation_service"):
        service().recommend(ask(15), **AT)
        service().recommend(ask(20), **AT)
    assert "User abc-123 has 15 interactions" in caplog.messages
    assert "→ Using ALS (warm user: 15 interactions)" in caplog.messages
    assert "→ Using ensemble (hot user: 20 interactions)" in caplog.messages
    assert "Ensemble generated 10 recommendations" in caplog.messages
    answered = next(record for record in caplog.records if "ALS generated" in record.message)
    assert (answered.user, answered.count, answered.method) == ("abc-123", 10, "als")  # type: ignore[attr-defined]
    assert answered.ms > 0  # type: ignore[attr-defined]


def test_with_a_key_the_log_never_shows_the_user_id(caplog: pytest.LogCaptureFixture) -> None:
    hidden = service(log_key=b"k" * 32)
    with caplog.at_level(logging.DEBUG, logger="recommendation_service"):
        hidden.recommend(ask(15), **AT)
        hidden.recommend(ask(15, user_id=None), **AT)
    shown = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
    assert "abc-123" not in shown
    assert hidden.user_label("abc-123") in caplog.text
    assert hidden.user_label("abc-123") != service(log_key=b"j" * 32).user_label("abc-123")
    assert "User anonymous has" in caplog.text


def disliked(events: tuple[PastEvent, ...]) -> set[str]:
    """Items of a sum below 0 by the weights of `setting.use_case`, each event once a day."""
    weights = {"view": 1.0, "like": 3.0, "dismiss": -3.0}
    once = {(event.item_id, event.event, event.time // 86_400) for event in events}
    return {item for item, _, _ in once if sum(weights.get(word, 0.0) for same, word, _ in once if same == item) < 0}


def test_every_answer_of_random_people_keeps_its_promises() -> None:
    rng = np.random.default_rng(11)
    one = service()
    for _ in range(150):
        events = tuple(
            PastEvent(
                IDS[item], str(rng.choice(["view", "like", "dismiss", "stare"])), board.NOW - float(rng.integers(0, 10**7))
            )
            for item in rng.integers(0, 24, rng.integers(0, 40))
        )
        asked = ask(history=events, limit=int(rng.integers(1, 101)), filters={"tags": ("tone1",)} if rng.random() < 0.3 else {})
        slate = one.recommend(asked, **AT)
        ids = [shown.item_id for shown in slate.recommendations]
        assert len(ids) <= asked.limit
        assert len(set(ids)) == len(ids)
        assert slate.degraded == bool(slate.degradation)
        scores = np.array([shown.score for shown in slate.recommendations])
        assert np.isfinite(scores).all()
        assert (np.diff(scores) <= 0).all()
        fitting = {IDS[n] for n in range(24) if not asked.filters or n % 3 == 1}
        unseen = fitting - {event.item_id for event in events}
        left = unseen or fitting - disliked(events)
        assert left.issuperset(ids)
        assert len(ids) == min(asked.limit, len(left))  # popular fills whatever the others leave open
        assert ("seen_everything" in {skip.code for skip in slate.degradation}) == (not unseen and bool(left))
