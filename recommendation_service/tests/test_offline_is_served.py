"""The lists that are measured are the lists that are served: router, engines, rerankers, rules and cut, on every site."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from recommendation_service import train_all
from recommendation_service.app import create_app
from recommendation_service.commands.evaluate_lists import Before
from recommendation_service.commands.surface_lists import SurfaceLists, request_of
from recommendation_service.datasets.reader import Dataset
from recommendation_service.kinds import KINDS
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.services.runtime import CatalogueRuntime
from recommendation_service.tests.support import service
from recommendation_service.tests.support.exports import NOW, Happening, write_export
from recommendation_service.tests.support.magazine import magazine
from recommendation_service.training.data import read_training_data
from recommendation_service.use_cases.loader import load
from recommendation_service.wiring import build_engines, build_rankers

PEOPLE, K = 50, 10
MOMENT = NOW + 60  # everything in the export has happened by then
LIKED = {"courses": "enroll", "shop": "purchase"}  # the others have "like"


def trained(root: Path, site: str) -> None:
    records, happenings, profiles = magazine(people=70)
    liked = LIKED.get(site, "like")
    named = [Happening(one.user_id, one.item_id, liked if one.event == "like" else "view", one.time) for one in happenings]
    write_export(root / "data", load(site), records, named, profiles)
    folders = ["--data-dir", str(root / "data"), "--models-dir", str(root / "models")]
    assert train_all.main(["--use-case", site, "--no-tune", "--force", *folders]) == 0


@pytest.mark.parametrize("site", ["startups", "courses", "posts", "shop", "movies"])
def test_every_sampled_person_gets_the_list_that_is_measured(site, tmp_path, monkeypatch):
    trained(tmp_path, site)
    use_case = load(site)
    dataset = Dataset.open(tmp_path / "data", use_case.catalogues[0])
    material = read_training_data(dataset, dataset.events(), use_case.weighting, MOMENT)
    store = ArtifactStore(tmp_path / "models" / use_case.catalogues[0])
    models = {kind: model for kind in KINDS if (model := store.load(kind)) is not None}
    settings = service.settings_under(tmp_path, RS_USE_CASES=site)
    runtime = CatalogueRuntime(
        material.catalogue,
        build_engines(use_case, material.catalogue, models),
        Before(dataset, material, by_time=True),
        rankers=build_rankers(use_case, material.catalogue, models, settings),
    )
    monkeypatch.setattr("recommendation_service.core.threads.check", lambda: None)
    monkeypatch.setattr("recommendation_service.web.recommendations.time", SimpleNamespace(time=lambda: MOMENT))
    client = create_app(settings).test_client()
    known = [material.user_ids.id(row) for row in range(len(material.user_ids))]
    sampled = [*np.random.default_rng(7).choice(known, PEOPLE - 1, replace=False).tolist(), "nobody-the-export-knows"]
    about_users = {name: entry for name, entry in use_case.surfaces.items() if entry.about == "user"}
    assert about_users
    for name, surface in about_users.items():
        measured = SurfaceLists(use_case, name, surface, runtime, now=MOMENT)
        for user_id in sampled:
            request = request_of(user_id, K)
            body = {"user_id": user_id, "limit": K, "request_id": request.request_id}
            answer = client.post(f"/api/recommendations/{site}/{name}", json=body, headers=service.bearer())
            assert answer.status_code == 200, answer.json
            served = [entry["item_id"] for entry in answer.json["recommendations"]]
            assert len(served) == K
            assert measured.ids_for(request) == served, (name, user_id)
