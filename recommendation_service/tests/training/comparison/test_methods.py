import io
from dataclasses import replace

import numpy as np
import pytest

from recommendation_service.datasets.reader import Dataset
from recommendation_service.domain.slate import Candidates, Retrieved
from recommendation_service.errors import DatasetError
from recommendation_service.tests.support import surgery
from recommendation_service.tests.support.exports import NOW, Happening
from recommendation_service.training.comparison.methods import MethodComparer, Uses
from recommendation_service.training.comparison.tables import methods_table
from recommendation_service.training.parameters import TwoTowerParameters
from recommendation_service.training.report import Report
from recommendation_service.training.trainers import RECIPES, stated_for
from recommendation_service.use_cases.loader import load_file
from recommendation_service.use_cases.schema import Part
from recommendation_service.wiring import build_engines

ENGINES = ("popular", "ease", "content")


class Lots:
    """A dear method made of noise: everybody's own order of all items, drawn by their id."""

    def scores(self, query):
        seed = int.from_bytes(query.user_id.encode(), "big") % 2**32
        return np.random.default_rng(seed).random(len(query.catalogue)).astype(np.float32)

    def retrieve(self, query, limit):
        scores = np.where(query.eligible, self.scores(query), -1)
        rows = np.argsort(-scores)[:limit]
        return Retrieved(Candidates(rows, scores[rows]))


def with_lots(use_case, catalogue, artifacts):
    """The real engines, and lots under the name of the two-tower model."""
    return {**build_engines(use_case, catalogue, artifacts), "two_tower": Lots()}


def site(root):
    use_case = load_file(root / "sites" / "clinic.toml")
    return use_case, Dataset.open(root / "data", "clinic")


def quiet():
    return Report(io.StringIO(), io.StringIO())


def settings_of(use_case):
    return {kind: stated_for(use_case, kind, seed=42) for kind in RECIPES if use_case.engine_of_kind(kind)}


def run(root, *, names=ENGINES, build=build_engines, use_case=None, budget_s=300.0, clock=None, uses=None):
    own, dataset = site(root)
    use_case = use_case or own
    comparer = MethodComparer(use_case, dataset, build, quiet(), **({"clock": clock} if clock else {}))
    return comparer.run(names, settings_of(use_case), uses=uses or {}, budget_s=budget_s)


@pytest.fixture(scope="module")
def regulars(tmp_path_factory):
    root = tmp_path_factory.mktemp("regulars")
    surgery.export_clinic(root, surgery.regulars_know())
    return root


@pytest.fixture(scope="module")
def found(regulars):
    return run(regulars, uses={"content": Uses(other=("similar",))})


def test_what_a_world_holds_decides_what_is_worth_its_cost(found):
    verdicts = {one.method: one for one in found.verdicts}
    assert list(verdicts) == ["ease", "content"]
    assert verdicts["ease"].recommended
    assert not verdicts["content"].recommended
    assert verdicts["content"].gain.surely_worse
    assert verdicts["content"].also_for == ("similar",)


def test_every_method_has_its_people_and_items(found):
    assert found.coverage() == {"popular": (1, 1), "ease": (1, 1), "content": (1, 1)}
    assert {one.segment for one in found.figures} >= {"all", "5-19"}
    people = {one.model: one.people for one in found.figures if one.segment == "all"}
    assert set(people.values()) == {len(found.test.panel)}


def test_validation_holds_newcomers_and_nobody_twice(found):
    valid = found.valid.panel
    assert np.unique(valid.users).size == len(valid)
    assert found.test.panel.material.now > valid.material.now


def test_the_table_has_a_row_a_method_and_a_column_a_segment(found):
    lines = methods_table(found).splitlines()
    assert [line.split()[0] for line in lines] == ["method", *ENGINES]
    assert f"everyone (n {len(found.test.panel)})" in lines[0]
    ease = next(one for one in found.figures if one.model == "ease" and one.segment == "all")
    assert f"{ease.ndcg:.3f} ({ease.interval[0]:.3f}-{ease.interval[1]:.3f})" in lines[2]


def more(use_case, **engines):
    """The site with other engines beside its own."""
    return use_case.model_copy(update={"engines": {**use_case.engines, **engines}})


def ensemble(weights="configured", also=(), **members):
    return Part(kind="ensemble", options={"members": members, "learnable_members": list(also), "weights": weights})


def test_a_dear_method_made_of_noise_is_refused(regulars, monkeypatch):
    small = replace(RECIPES["two_tower"], stated=TwoTowerParameters(dimension=4, hidden=4, epochs=1))
    monkeypatch.setitem(RECIPES, "two_tower", small)
    use_case = more(site(regulars)[0], two_tower=Part(kind="two_tower"))
    seen = run(regulars, names=(*ENGINES, "two_tower"), build=with_lots, use_case=use_case)
    noise = next(one for one in seen.verdicts if one.method == "two_tower")
    assert noise.rival == "ease"
    assert not noise.recommended
    assert noise.summary().startswith("two_tower is worse than ease here (-0.")


class Wise:
    """Asks popular items for people below ten interactions, and the other engine for the rest: right in this world."""

    def __init__(self, engines):
        self._few, self._many = engines["popular"], engines["ease"]

    def scores(self, query):
        return (self._few if query.history.count < 10 else self._many).scores(query)

    def retrieve(self, query, limit):
        return (self._few if query.history.count < 10 else self._many).retrieve(query, limit)


def with_wise(use_case, catalogue, artifacts):
    built = build_engines(use_case, catalogue, artifacts)
    return {**built, **({"blend": Wise(built)} if {"blend", "ease"} <= set(built) else {})}


def test_whatever_an_ensemble_that_earns_its_cost_hears_is_kept_for_it(regulars):
    use_case = more(site(regulars)[0], inner=ensemble(ease=0.5, content=0.5), blend=ensemble(inner=0.9, popular=0.1))
    seen = run(regulars, names=(*ENGINES, "inner", "blend"), build=with_wise, use_case=use_case)
    verdicts = {one.method: one for one in seen.verdicts}
    assert verdicts["blend"].recommended
    assert not verdicts["inner"].recommended
    assert {name for name, one in verdicts.items() if one.member_of == ("blend",)} == {"ease", "content", "inner"}
    assert "keep it as a member of blend" in verdicts["content"].summary()


def test_learned_weights_are_learned_anew_for_published_ones_know_the_test_part(regulars):
    use_case = more(site(regulars)[0], blend=ensemble("learned", ["popular"], ease=0.5, content=0.5))
    seen = run(regulars, names=(*ENGINES, "blend"), use_case=use_case)
    assert seen.missing == {}
    figures = {one.model: one.ndcg for one in seen.figures if one.segment == "all"}
    assert figures["blend"] > max(figures["popular"], figures["content"])


def test_the_stated_weights_are_measured_where_there_are_too_few_people_to_learn_from(tmp_path):
    surgery.export_clinic(tmp_path, surgery.regulars_know(people=4))
    use_case = more(site(tmp_path)[0], blend=ensemble("learned", ease=0.5, content=0.5))
    seen = run(tmp_path, names=(*ENGINES, "blend"), use_case=use_case)
    stated = more(site(tmp_path)[0], blend=ensemble("configured", ease=0.5, content=0.5))
    assert seen.missing == {}
    assert seen.figures == run(tmp_path, names=(*ENGINES, "blend"), use_case=stated).figures


def test_no_method_is_begun_when_the_budget_is_over(regulars):
    ticks = iter(range(0, 1000, 80))
    seen = run(regulars, budget_s=60.0, clock=lambda: float(next(ticks)))
    assert list(seen.test.answers) == ["popular"]
    assert seen.missing == dict.fromkeys(("ease", "content"), "not measured: the budget of 60 s was over before it began")
    assert seen.verdicts == ()


def few_events(people, each):
    return [
        Happening(f"p{person}", f"i{(person + step) % 10:03d}", "like", NOW - 100 * (each - step) - person)
        for person in range(people)
        for step in range(each)
    ]


def test_what_cannot_be_trained_is_told_and_the_others_are_measured(tmp_path):
    happenings = [*few_events(40, 1), Happening("p0", "i009", "like", NOW), Happening("p1", "i008", "like", NOW)]
    surgery.export_clinic(tmp_path, happenings, items=10)
    seen = run(tmp_path)
    assert seen.missing["ease"].startswith("not measured: EASE needs 2 people who liked 2 items each")
    assert "popular" in seen.test.answers


def test_nothing_new_in_the_newest_part_is_nothing_to_measure(tmp_path):
    surgery.export_clinic(tmp_path, [Happening("p0", "i001", "like", NOW - day) for day in range(20)], items=10)
    with pytest.raises(DatasetError, match="nothing to measure"):
        run(tmp_path)


def test_examining_twice_finds_the_same(regulars, found):
    again = run(regulars, uses={"content": Uses(other=("similar",))})
    assert again.verdicts == found.verdicts
    assert again.figures == found.figures
