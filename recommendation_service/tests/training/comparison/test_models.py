import io
import re

import numpy as np
import pytest

from recommendation_service.datasets.reader import Dataset
from recommendation_service.datasets.weighting import DAY_S
from recommendation_service.tests.support import surgery
from recommendation_service.tests.support.exports import NOW, Happening
from recommendation_service.training.comparison.methods import MethodComparer
from recommendation_service.training.comparison.models import ModelComparer
from recommendation_service.training.report import Report
from recommendation_service.training.trainers import RECIPES, stated_for
from recommendation_service.use_cases.loader import load_file
from recommendation_service.use_cases.schema import Part
from recommendation_service.wiring import build_engines

MEMBERS = {"ease": 0.5, "popular": 0.5}


def life(user_id, past, later, rng):
    """The past in the first days, what came later in the last ones."""
    before = NOW - surgery.LATER - rng.uniform(0, 100 * DAY_S, len(past))
    times = [*before, *(NOW - rng.uniform(0, surgery.LATER, len(later)))]
    return [Happening(user_id, f"i{row:03d}", "like", float(time)) for row, time in zip([*past, *later], times, strict=True)]


def divided(*, people=180, seed=0):
    """Newcomers tried two things by chance and come to what everybody loves; regulars with 22 stay in their club."""
    rng, found = np.random.default_rng(seed), []
    for person in range(people):
        tried = surgery.LOVED + rng.permutation(surgery.ITEMS - surgery.LOVED)[:2]
        found += life(f"light{person:03d}", tried, rng.permutation(surgery.LOVED)[:2], rng)
        club = surgery.LOVED + (person % surgery.CLUBS) * surgery.CLUB + rng.permutation(surgery.CLUB)
        found += life(f"heavy{person:03d}", club[:22], club[22:26], rng)
        found += life(f"early{person:03d}", rng.permutation(surgery.LOVED)[:5], [], rng)
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    root = tmp_path_factory.mktemp("divided")
    surgery.export_clinic(root, divided())
    own = load_file(root / "sites" / "clinic.toml")
    blend = Part(kind="ensemble", options={"members": MEMBERS, "weights": "learned"})
    return own.model_copy(update={"engines": {**own.engines, "blend": blend}}), Dataset.open(root / "data", "clinic")


def quiet():
    return Report(io.StringIO(), io.StringIO())


def settings_of(use_case):
    return {kind: stated_for(use_case, kind, seed=42) for kind in RECIPES if use_case.engine_of_kind(kind)}


@pytest.fixture(scope="module")
def studied(site):
    return ModelComparer(*site, build_engines, quiet()).run(settings_of(site[0]))


def figures(rows, name, segment):
    return next((one.ndcg, one.interval) for one in rows if (one.model, one.segment) == (name, segment))


def test_the_learned_blend_is_measured_by_segment_as_it_serves(studied):
    note = next(one for one in studied.notes if one.startswith("blend: "))
    assert re.search(r"; 0-4: (ease 0\.[01]\d, )?popular (0\.[89]\d|1\.00); 20\+: ease (0\.[789]\d|1\.00)", note)
    few, many = (figures(studied.figures, "blend (learned)", segment)[0] for segment in ("0-4", "20+"))
    assert few == pytest.approx(figures(studied.figures, "popular", "0-4")[0], rel=0.05)
    assert few > figures(studied.figures, "blend (configured)", "0-4")[0] * 1.1
    assert many >= figures(studied.figures, "ease", "20+")[0] * 0.95


def test_the_doctor_measures_the_same_blend_as_the_study(site, studied):
    comparer = MethodComparer(*site, build_engines, quiet())
    found = comparer.run(("popular", "ease", "blend"), settings_of(site[0]), uses={})
    for segment in ("all", "0-4", "20+"):
        assert figures(found.figures, "blend", segment) == figures(studied.figures, "blend (learned)", segment)
