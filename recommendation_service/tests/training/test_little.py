"""A new site: ten items and three people. It trains, is told what is missing, and serves what it can."""

from pathlib import Path

import pytest

from recommendation_service import cli, evaluate, train_all, train_als
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.tests.support.exports import NOW, Happening, write_export
from recommendation_service.use_cases.loader import load

TOPICS = ("go", "python")


def export(root: Path, *, people: int, likes: int = 3) -> None:
    """People who like items one after the other, each beginning at another one."""
    records = [ItemRecord(f"i{row}", f"Item {row} {TOPICS[row % 2]}", tags=(TOPICS[row % 2],)) for row in range(10)]
    happenings = [
        Happening(f"u{user:02d}", f"i{(user + step) % 10}", "like", NOW - 1000 * step - user)
        for user in range(people)
        for step in range(likes)
    ]
    write_export(root / "data", load("startups"), records, happenings, {"u00": {"skills": ("go",)}})


def options(root: Path, *more: str) -> list[str]:
    return ["--use-case", "startups", "--data-dir", str(root / "data"), "--models-dir", str(root / "models"), *more]


def published(root: Path, kind: str) -> bool:
    return ArtifactStore(root / "models" / "startups").load(kind) is not None


def test_three_people_are_not_enough_data_and_that_is_no_failure(tmp_path, capsys):
    export(tmp_path, people=3)
    assert train_all.main(options(tmp_path)) == 0
    told = capsys.readouterr()
    missing = "3 people liked two items or more; 10 are needed to learn from what people do"
    assert f"WARNING: startups: not enough data: {missing}; until then items' own words" in told.err
    for kind in ("als", "two_tower", "ease", "next_item"):
        assert any(line.startswith(f"startups   {kind} ") and missing in line for line in told.out.splitlines())
        assert not published(tmp_path, kind)
    assert published(tmp_path, "content")
    last = told.out.splitlines()[-3:]
    assert last[0] == f"startups: not enough data yet: {missing}"
    assert last[1].startswith("that is no failure: ")
    assert last[2].startswith("next: ")


def test_ten_people_are_enough(tmp_path, capsys):
    export(tmp_path, people=10)
    assert train_all.main(options(tmp_path, "--no-tune")) == 0
    assert published(tmp_path, "als")
    told = capsys.readouterr()
    assert "not enough data" not in told.out + told.err


def test_no_settings_are_chosen_by_a_handful_of_people(tmp_path, capsys):
    export(tmp_path, people=12)
    assert train_als.main(options(tmp_path, "--tune")) == 0
    assert "of 10 validation people; the stated settings train" in capsys.readouterr().out
    found = ArtifactStore(tmp_path / "models" / "startups").load("als")
    assert "tuning" not in found.manifest.metrics
    assert found.manifest.warnings == ("fewer than 10 people to validate on: published without having been compared",)


def test_who_asks_for_it_may_publish_a_model_of_three_people(tmp_path):
    export(tmp_path, people=3)
    assert train_als.main(options(tmp_path, "--force")) == 0
    assert published(tmp_path, "als")


def test_nobody_at_all_is_summed_up_too(tmp_path, capsys):
    export(tmp_path, people=0)
    assert train_all.main(options(tmp_path)) == 0
    assert capsys.readouterr().out.splitlines()[-3] == "startups: not enough data yet: there are no positive interactions"


@pytest.mark.parametrize(("user", "method", "items"), [("stranger", "popular", 10), ("u01", "content_based", 7)])
def test_everybody_is_served_everything_there_is(tmp_path, capsys, monkeypatch, user, method, items):
    export(tmp_path, people=3)
    assert train_all.main(options(tmp_path)) == 0
    monkeypatch.setenv("RS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("RS_MODELS_DIR", str(tmp_path / "models"))
    capsys.readouterr()
    assert cli.main(["recommend", "--use-case", "startups", "--surface", "for-developer", "--user", user]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{method} (")
    assert lines[0].endswith("3 interactions" if user == "u01" else "0 interactions")
    assert sum(line.lstrip()[:1].isdigit() for line in lines) == items


def test_who_has_seen_everything_is_shown_popular_items_again_and_told_so(tmp_path, capsys, monkeypatch):
    records = [ItemRecord("i0", "Only one")]
    write_export(tmp_path / "data", load("startups"), records, [Happening("u00", "i0", "like", NOW)], {})
    monkeypatch.setenv("RS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("RS_MODELS_DIR", str(tmp_path / "models"))
    assert cli.main(["recommend", "--use-case", "startups", "--surface", "for-developer", "--user", "u00"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "popular (catalogue), 1 interaction"
    assert any("seen everything here" in line for line in lines)


def doctor(root: Path, capsys, monkeypatch) -> list[str]:
    monkeypatch.setenv("RS_DATA_DIR", str(root / "data"))
    monkeypatch.setenv("RS_MODELS_DIR", str(root / "models"))
    capsys.readouterr()
    assert cli.main(["doctor"]) == 0
    return [line.strip() for line in capsys.readouterr().out.splitlines()]


def test_the_doctor_sends_nobody_to_train_what_cannot_be_trained(tmp_path, capsys, monkeypatch):
    export(tmp_path, people=3)
    assert doctor(tmp_path, capsys, monkeypatch)[-1] == "next: tandem train all --use-case startups"
    assert train_all.main(options(tmp_path)) == 0
    lines = doctor(tmp_path, capsys, monkeypatch)
    assert "not enough data: 3 people liked two items or more; 10 are needed to learn from what people do" in lines
    assert lines[-1].startswith("next: gunicorn ")
    assert "shop: no export yet" in lines


def test_the_doctor_sends_nobody_to_train_where_nothing_was_liked(tmp_path, capsys, monkeypatch):
    export(tmp_path, people=0)
    lines = doctor(tmp_path, capsys, monkeypatch)
    assert "not enough data: no people liked two items or more; 10 are needed to learn from what people do" in lines
    assert lines[-1].startswith("next: gunicorn ")


def test_evaluate_says_what_so_few_people_cannot_tell(tmp_path, capsys):
    export(tmp_path, people=4)
    folder = ["--use-case", "startups", "--data-dir", str(tmp_path / "data")]
    assert evaluate.main([*folder, "--tune", "--budget-seconds", "1"]) == 0
    told = capsys.readouterr().out
    assert "of 10 validation users with a history: neither settings nor weights are chosen by them" in told
    assert "of 20 users to measure on: differences between the methods are random" in told
    assert "(tuned)" not in told
    assert "(learned)" not in told
