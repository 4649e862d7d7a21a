"""What serves, and taking up something new at once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from recommendation_service.tests.support import service
from recommendation_service.tests.support.exports import clubs, write_export
from recommendation_service.tests.support.service import bearer
from recommendation_service.use_cases.loader import load

ADMIN = ("service", "recs:admin")
PATH = "/api/recommendations/startups/for-developer/u001"


def _row(client: FlaskClient, kind: str) -> dict[str, Any]:
    rows = client.get("/api/models", headers=bearer()).json["models"]
    return next(one for one in rows if (one["catalogue"], one["kind"]) == ("startups", kind))


def test_models_lists_every_kind_with_its_version(client: FlaskClient) -> None:
    assert _row(client, "als")["version"] == "als_v1"
    assert _row(client, "export")["version"] == "export_v1"


def test_models_tell_which_weights_serve(serve: Callable[..., FlaskClient], tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    service.publish_all(tmp_path)
    assert _row(serve(), "ensemble")["label"] == "ensemble: learned weights serve"
    stated = _row(serve(ENSEMBLE_ALS_WEIGHT="0.7"), "ensemble")["label"]
    assert stated == "ensemble: configured weights serve, as the file or the environment wants it"


def test_models_tell_what_they_know_of_how_many_items(client: FlaskClient) -> None:
    exported = _row(client, "export")["items"]
    assert exported > 1
    assert _row(client, "als")["items"] == _row(client, "two_tower")["items"] == exported
    assert (_row(client, "als")["dimension"], _row(client, "content")["dimension"]) == (
        service.als_arrays()["item_factors"].shape[1],
        None,
    )


def test_a_bandit_tells_its_arms_before_and_after_it_learned(serve: Callable[..., FlaskClient], tmp_path: Path) -> None:
    records, happenings, profiles = clubs()
    write_export(tmp_path / "data", load("courses"), records, [replace(one, event="enroll") for one in happenings], profiles)
    client = serve()

    def arms() -> dict[str, dict[str, Any]]:
        rows = client.get("/api/models", headers=bearer()).json["models"]
        (bandit,) = [row for row in rows if (row["catalogue"], row["kind"]) == ("courses", "bandit")]
        return {arm["arm"]: arm for arm in bandit["arms"]}

    first = arms()
    assert sum(arm["probability"] for arm in first.values()) == pytest.approx(1.0)
    assert max(first, key=lambda name: first[name]["probability"]) == "hybrid"
    assert {(arm["plays"], arm["mean_reward"]) for arm in first.values()} == {(0, 0.0)}
    learned = {
        "arms": service.ids(["hybrid", "content"]),
        "plays": np.array([40, 40], dtype=np.int64),
        "rewards": np.array([4.0, 12.0]),
    }
    service.publish(tmp_path, "bandit", learned, catalogue="courses")
    client.post("/api/models/reload", headers=bearer(*ADMIN))
    later = arms()
    assert (later["content"]["plays"], later["content"]["mean_reward"], later["content"]["surface"]) == (40, 0.3, "home")
    assert max(later, key=lambda name: later[name]["probability"]) == "content"


def test_reload_takes_up_a_new_model_at_once(serve: Callable[..., FlaskClient], tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    client = serve()
    service.publish(tmp_path, "als")
    assert client.get(PATH, headers=bearer()).json["method_used"] == "popular"
    assert client.post("/api/models/reload", headers=bearer(*ADMIN)).json["changed"] == ["startups/als"]
    answer = client.get(PATH, headers=bearer()).json
    assert (answer["method_used"], answer["model_version"]) == ("als", "als_v1")
    assert client.post("/api/models/reload", headers=bearer(*ADMIN)).json["changed"] == []


def test_reload_takes_up_a_first_export(serve: Callable[..., FlaskClient], tmp_path: Path) -> None:
    client = serve()
    assert client.get(PATH, headers=bearer()).status_code == 503
    service.export_startups(tmp_path)
    assert client.post("/api/models/reload", headers=bearer(*ADMIN)).json["changed"] == ["startups/export"]
    assert client.get(PATH, headers=bearer()).status_code == 200


def test_a_damaged_model_is_refused_told_and_counted_while_the_old_one_serves(
    serve: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    service.export_startups(tmp_path)
    service.publish(tmp_path, "als")
    client = serve()
    service.publish(tmp_path, "als", service.als_arrays(seed=1))
    factors = service.store_under(tmp_path).folder("als").path("als_v2") / "item_factors.npy"
    raw = bytearray(factors.read_bytes())
    raw[-1] ^= 1
    factors.write_bytes(raw)
    assert client.post("/api/models/reload", headers=bearer(*ADMIN)).json["changed"] == []
    row = _row(client, "als")
    assert row["version"] == "als_v1"
    assert "als_v2: item_factors.npy was damaged" in row["problem"]
    assert client.get(PATH, headers=bearer()).json["model_version"] == "als_v1"
    text = client.get("/metrics", headers=bearer()).text
    assert 'recs_artifact_refused_total{catalogue="startups",kind="als"}' in text
    assert "als_v2: item_factors.npy was damaged" in (tmp_path / "logs" / "app.log").read_text()
