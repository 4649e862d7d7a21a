import json
from dataclasses import dataclass

import pytest

from recommendation_service.training import tuning as searching
from recommendation_service.training.trainers import RECIPES
from recommendation_service.training.tuning import SEARCHES, TrialCache, figures, search, search_summary


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


def test_the_budget_ends_the_search_after_the_first_try_beyond_it():
    clock = iter([0.0, 1.0, 1.0, 5.0, 5.0, 11.0, 11.0, 11.0])
    found = search("toy", Settings(), best_at(4, 0.9), budget_s=10, clock=lambda: next(clock))
    assert [one.at_s for one in found.tried] == [1.0, 5.0, 11.0]
    assert not found.whole
    assert "ended by its budget" in search_summary(found)
    assert figures(found)["whole_search"] is False


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
