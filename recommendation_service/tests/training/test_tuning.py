import json
from dataclasses import dataclass, replace

import pytest

from recommendation_service.training import tuning as searching
from recommendation_service.training.trainers import RECIPES
from recommendation_service.training.tuning import (
    SEARCHES,
    TrialCache,
    cut_short,
    figures,
    search,
    search_summary,
    settings_of_today,
    trials_for,
)


@dataclass(frozen=True)
class Settings:
    size: int = 1
    heat: float = 0.5


@pytest.fixture(autouse=True)
def stages(monkeypatch):
    monkeypatch.setattr(searching, "SEARCHES", {"toy": ({"size": (2, 4)}, {"heat": (0.1, 0.9)})})


def best_at(size, heat):
    return lambda one: -abs(one.size - size) - abs(one.heat - heat)


def test_later_stages_begin_at_the_best_of_the_earlier_ones():
    found = search("toy", Settings(), best_at(4, 0.9))
    assert found.best.parameters == Settings(4, 0.9)
    assert [one.parameters for one in found.tried] == [
        Settings(1, 0.5), Settings(2, 0.5), Settings(4, 0.5), Settings(4, 0.1), Settings(4, 0.9),
    ]  # fmt: skip
    assert found.whole


def test_the_stated_settings_stay_unless_something_is_better():
    found = search("toy", Settings(), best_at(1, 0.5))
    assert found.best.parameters == Settings()
    assert "the stated settings" in search_summary(found)


def test_a_kind_without_a_search_keeps_what_is_stated():
    found = search("other", Settings(), best_at(4, 0.9))
    assert [one.parameters for one in found.tried] == [Settings()]


def test_a_search_tries_a_number_of_settings_and_cached_ones_count(tmp_path):
    memory = TrialCache(tmp_path / "toy.json", of="export 1")
    first = search("toy", Settings(), best_at(4, 0.9), trials=3, memory=memory)
    assert [one.parameters for one in first.tried] == [Settings(1, 0.5), Settings(2, 0.5), Settings(4, 0.5)]
    assert first.whole
    assert search("toy", Settings(), best_at(4, 0.9), trials=3, memory=memory) == first


def test_how_long_a_trial_takes_changes_nothing_below_the_ceiling():
    slow, quick = iter(range(0, 10_000, 500)), iter(range(100))
    found = [
        search("toy", Settings(), best_at(4, 0.9), trials=4, clock=lambda clock=clock: float(next(clock)))
        for clock in (slow, quick)
    ]
    assert found[0] == found[1]


def test_seconds_are_a_ceiling_that_is_a_warning():
    clock = iter([0.0, 1.0, 1.0, 5.0, 5.0, 11.0, 11.0, 11.0])
    found = search("toy", Settings(), best_at(4, 0.9), budget_s=10, clock=lambda: next(clock))
    assert [one.at_s for one in found.tried] == [1.0, 5.0, 11.0]
    assert not found.whole
    assert "ended by its ceiling of seconds" in search_summary(found)
    assert figures(found)["whole_search"] is False
    assert "ended at its ceiling of seconds after 3 trials" in cut_short(found)[0]
    assert cut_short(search("toy", Settings(), best_at(4, 0.9))) == ()


def test_the_published_settings_are_tried_first_and_are_no_start_of_a_stage():
    asked = []

    def measure(one):
        asked.append(one)
        return best_at(9, 0.3)(one)

    found = search("toy", Settings(), measure, today=Settings(9, 0.3), trials=2)
    assert asked == [Settings(9, 0.3), Settings(1, 0.5), Settings(2, 0.5)]
    assert found.best == found.today
    assert found.best.parameters == Settings(9, 0.3)
    assert len(found.tried) == 2
    assert figures(found)["today_ndcg_at_10"] == 0.0
    again = search("toy", Settings(), best_at(4, 0.9), today=search("toy", Settings(), best_at(4, 0.9)).best.parameters)
    assert again.tried == search("toy", Settings(), best_at(4, 0.9)).tried


def test_today_gives_its_searched_settings_and_no_length_of_training(monkeypatch):
    monkeypatch.setattr(searching, "SEARCHES", SEARCHES)
    stated, today = RECIPES["two_tower"].stated, replace(RECIPES["two_tower"].stated, temperature=0.4, epochs=3, seed=7)
    assert settings_of_today("two_tower", stated, today) == replace(stated, temperature=0.4)


def test_the_number_of_trials_depends_on_the_size_of_the_log_alone():
    assert [trials_for("als", n, 50_000) for n in (0, 200_000, 1_000_000, 100_000_000)] == [24, 24, 4, 4]
    assert [trials_for("sasrec", n, 50_000) for n in (0, 50_000, 100_000, 100_000_000)] == [6, 6, 3, 1]
    assert [trials_for("ease", 1_000, items) for items in (0, 4_000, 8_000, 100_000)] == [24, 24, 6, 4]


def test_an_interrupted_search_goes_on_where_it_stopped(tmp_path):
    path, measured = tmp_path / "tuning" / "toy.json", []

    def measure(one):
        if len(measured) == 3:
            raise KeyboardInterrupt
        measured.append(one)
        return best_at(4, 0.9)(one)

    with pytest.raises(KeyboardInterrupt):
        search("toy", Settings(), measure, memory=TrialCache(path, of="export 1"))
    before, measured[:] = list(measured), []
    found = search("toy", Settings(), measure, memory=TrialCache(path, of="export 1"))
    assert not set(before) & set(measured)
    assert found.best == search("toy", Settings(), best_at(4, 0.9)).best


def test_results_of_other_data_are_not_used(tmp_path):
    path = tmp_path / "toy.json"
    search("toy", Settings(), lambda one: 100.0 * (one.size == 2), memory=TrialCache(path, of="export 1"))
    found = search("toy", Settings(), best_at(4, 0.9), memory=TrialCache(path, of="export 2"))
    assert found.best.parameters == Settings(4, 0.9)


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"of": "x", "scores": {"a": "b"}}), json.dumps({"of": "x"})])
def test_a_damaged_memory_is_begun_anew(tmp_path, text):
    path = tmp_path / "toy.json"
    path.write_text(text)
    assert search("toy", Settings(), best_at(4, 0.9), memory=TrialCache(path, of="x")).best.parameters == Settings(4, 0.9)
    assert json.loads(path.read_text())["of"] == "x"


def test_every_search_names_settings_of_its_kind():
    for kind, own in SEARCHES.items():
        known = set(RECIPES[kind].stated.__dataclass_fields__)
        assert {name for stage in own for name in stage} <= known, kind


def exact_only(one):
    return float(one.solver == "exact")


def test_als_tries_the_exact_solver_after_implicit_and_keeps_it_only_when_it_is_better(monkeypatch):
    monkeypatch.setattr(searching, "SEARCHES", SEARCHES)
    stated = RECIPES["als"].stated
    found = search("als", stated, exact_only)
    solvers = [one.parameters.solver for one in found.tried]
    assert solvers.index("exact") == solvers.count("implicit")
    assert {one.parameters.frequency_scaling for one in found.tried if one.parameters.solver == "exact"} == {1.0}
    assert found.best.parameters.solver == "exact"
    assert "solver exact, frequency_scaling 1" in search_summary(found)
    assert search("als", stated, lambda one: -exact_only(one)).best.parameters == stated
