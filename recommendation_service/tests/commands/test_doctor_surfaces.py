"""Which engines the surfaces of the real files name, and what their routers would show on a site known by heart."""

import pytest

from recommendation_service.commands.doctor_surfaces import measured, of_persons, preference, routed, uses_of
from recommendation_service.core.numeric import top_rows
from recommendation_service.datasets.reader import Dataset
from recommendation_service.domain.slate import Candidates, Retrieved
from recommendation_service.pipeline.surface_pipeline import Plan
from recommendation_service.tests.support import surgery
from recommendation_service.training.comparison.cost_benefit import EngineAnswers
from recommendation_service.training.comparison.methods import MethodComparison, Uses
from recommendation_service.training.data import read_training_data
from recommendation_service.training.evaluation.evaluator import ask, build_evaluation_users
from recommendation_service.training.evaluation.splits import time_split
from recommendation_service.use_cases.loader import load, load_file, names
from recommendation_service.use_cases.schema import Part


def test_engines_that_only_answer_about_items_are_not_measured_on_people():
    shop = load("shop")
    assert set(shop.engines) - set(measured(shop, "shop")) == {"goes_with"}
    uses = uses_of(shop, "shop")
    assert uses["hybrid"] == Uses(persons=("homepage",))
    assert uses["bought_together"] == Uses(other=("product", "cart", "frequently-bought-together"))
    assert uses["popular"] == Uses()


@pytest.mark.parametrize("name", names())
def test_every_use_case_can_be_looked_at(name):
    use_case = load(name)
    for catalogue in use_case.catalogues:
        there = measured(use_case, catalogue)
        assert set(uses_of(use_case, catalogue)) == set(use_case.engines)
        for _, surface in of_persons(use_case, catalogue):
            assert {*surface.fallback} <= set(there)


def test_surfaces_that_route_alike_are_told_together():
    startups = load("startups")
    assert [names for names, _ in routed(startups, "startups")] == [["for-developer", "for-investor"]]
    other = startups.surfaces["for-investor"].model_copy(update={"fallback": ("popular",)})
    changed = startups.model_copy(update={"surfaces": {**startups.surfaces, "for-investor": other}})
    assert [names for names, _ in routed(changed, "startups")] == [["for-developer"], ["for-investor"]]


@pytest.mark.parametrize("name", ["cleaning", "courses"])
def test_surfaces_that_do_not_route_by_count_have_no_thresholds(name):
    use_case = load(name)
    assert [routed(use_case, catalogue) for catalogue in use_case.catalogues] == [[]] * len(use_case.catalogues)


class From:
    """Knows what everybody went for, but only of people with so many interactions or more; lots for the others."""

    def __init__(self, panel, least):
        self._least = least
        ids = [panel.material.user_ids.id(int(user)) for user in panel.users]
        self._wanted = dict(zip(ids, panel.relevant.toarray(), strict=True))

    def retrieve(self, query, limit):
        wanted = self._wanted[query.user_id].astype("float32")
        scores = wanted if query.history.count >= self._least else -wanted
        rows = top_rows(scores, limit, query.eligible)
        return Retrieved(Candidates(rows, scores[rows]))

    def scores(self, query):
        return self._wanted[query.user_id].astype("float32")


class Half(From):
    """Knows one thing that everybody went for, and puts it on top of nothing."""

    def __init__(self, panel):
        super().__init__(panel, 0)

    def retrieve(self, query, limit):
        return super().retrieve(query, 1)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    root = tmp_path_factory.mktemp("clinic")
    surgery.export_clinic(root, surgery.by_lot())
    use_case, dataset = load_file(root / "sites" / "clinic.toml"), Dataset.open(root / "data", "clinic")
    events = dataset.events()
    split = time_split(events)
    whole = read_training_data(dataset, events, use_case.weighting, split.test_start)
    early = whole.as_of(split.train, use_case.weighting, split.valid_start)
    late = whole.as_of(split.before_test(), use_case.weighting, split.test_start)
    return use_case, build_evaluation_users(early, split.valid), build_evaluation_users(late, split.test)


def seen(clinic, **engines):
    """The examination that found these engines' answers; name -> how to make it for a panel."""
    parts = [
        EngineAnswers.of(panel, {name: ask(make(panel), panel) for name, make in engines.items()}, None) for panel in clinic[1:]
    ]
    return MethodComparison(*parts, (), (), {})


@pytest.mark.parametrize("least", [7, 10, 15])
def test_an_engine_that_helps_from_so_many_interactions_on_goes_first_from_there(clinic, least):
    found = preference(clinic[0], "home", seen(clinic, popular=Half, ease=lambda panel: From(panel, least)))
    assert found.configured.summary() == "5 and 20"
    assert found.preferred.cold_below == least
    assert found.change


def test_an_engine_without_a_model_is_passed_over_as_when_it_serves(clinic):
    found = preference(clinic[0], "home", seen(clinic, popular=lambda panel: From(panel, 0)))
    assert found.preferred == found.configured
    assert found.reached == pytest.approx(1)


def test_engines_that_are_switched_off_answer_nobody(clinic):
    use_case = clinic[0].model_copy(update={"switched_off": ("ease",)})
    found = seen(clinic, popular=lambda panel: From(panel, 99), ease=lambda panel: From(panel, 0))
    assert preference(use_case, "home", found).reached < 0.1
    assert preference(clinic[0], "home", found).reached > 0.5
    assert Plan.build(use_case, "home").switched_off == {"ease"}


def test_thresholds_left_out_of_the_file_are_the_routers_own(clinic):
    options = {"cold": "popular", "warm": "ease", "hot": "ease"}
    home = clinic[0].surfaces["home"].model_copy(update={"router": Part(kind="by_count", options=options)})
    use_case = clinic[0].model_copy(update={"surfaces": {**clinic[0].surfaces, "home": home}})
    stated = preference(use_case, "home", seen(clinic, popular=lambda panel: From(panel, 0))).configured
    summary = Plan.build(use_case, "home").router.summary({})
    assert f"(<{stated.cold_below})" in summary
    assert f"({stated.warm_below}+)" in summary
