"""The contest chooses on validation and measures once: what the test part holds changes no choice."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from recommendation_service.cli import script
from recommendation_service.commands.evaluate_file import leaderboard as contests
from recommendation_service.commands.evaluate_file.leaderboard import BASELINE, BLEND, RECIPE, Choices, Contest, weighed
from recommendation_service.commands.evaluate_file.protocols import Task, task_of
from recommendation_service.commands.evaluate_file.result_rows import Row
from recommendation_service.training.ensemble.search import scaled
from recommendation_service.training.ensemble.weights import served
from recommendation_service.training.evaluation.evaluator import score_people
from recommendation_service.training.report import Report
from recommendation_service.training.trainers import RECIPES

evaluate = script("evaluate")

MODELS = ("als", "ease", "next_item")


@pytest.fixture
def circle(tmp_path: Path) -> Path:
    """Everybody walks round a circle of thirty items, from a place of their own."""
    path = tmp_path / "walks.txt"
    lines = (" ".join([f"u{n}", *(f"i{(n + step) % 30:02d}" for step in range(8 + n % 5))]) for n in range(90))
    path.write_text("\n".join(lines) + "\n")
    return path


def contest(task: Task, models: tuple[str, ...] = MODELS) -> list[Row]:
    return Contest(task, Choices(models, budget_s=0.0), Report(StringIO(), StringIO())).run()


def test_the_table_begins_with_popularity_and_order_is_found_where_there_is_order(circle: Path) -> None:
    rows = {row.model: row for row in contest(task_of("next-item", circle, None))}
    assert list(rows) == [BASELINE, *MODELS, BLEND]
    best = rows["next_item"].measures["HR@10"][0]
    assert best == 1.0
    assert rows[BASELINE].measures["NDCG@10"][0] < rows["next_item"].measures["NDCG@10"][0]
    assert all(row.people == 90 for row in rows.values())


def test_the_stated_recipe_stands_beside_the_blend_where_both_its_models_took_part(circle: Path) -> None:
    names = [row.model for row in contest(task_of("random", circle, None), ("als", "two_tower"))]
    assert names == [BASELINE, "als", "two_tower", RECIPE, BLEND]


def test_the_stated_recipe_is_made_of_members_with_their_stated_settings(circle: Path) -> None:
    made = Contest(task_of("random", circle, None), Choices(("als", "two_tower"), budget_s=2.0), Report(StringIO(), StringIO()))
    entries = {entry.name: entry for entry in made._models()}
    als = entries["als"]
    assert als.as_stated is not None
    assert als.as_stated.parameters["alpha"] == RECIPES["als"].stated.alpha
    assert als.row.settings
    assert als.trained is not None
    assert als.trained.parameters["factors"] != als.as_stated.parameters["factors"]


def test_shuffled_test_labels_change_no_choice(circle: Path) -> None:
    task = task_of("next-item", circle, None)
    order = np.random.default_rng(0).permutation(len(task.test))
    shuffled = replace(task, test=replace(task.test, relevant=sparse.csr_array(task.test.relevant[order])))
    before, after = contest(task), contest(shuffled)
    assert [row.settings for row in before] == [row.settings for row in after]
    assert [row.measures for row in before] != [row.measures for row in after]


def test_the_blend_is_never_below_its_best_member_on_validation(circle: Path) -> None:
    made = Contest(task_of("next-item", circle, None), Choices(MODELS, budget_s=0.0), Report(StringIO(), StringIO()))
    learned = made._learned([made._popular(), *made._models()])
    assert learned.measured.ndcg >= max(learned.members.values())


def test_every_row_tells_its_cost_its_segments_and_its_search(circle: Path) -> None:
    rows = {row.model: row for row in contest(task_of("next-item", circle, None))}
    assert all(row.request_ms > 0 for row in rows.values())
    for row in rows.values():
        assert sum(one.people for one in row.segments.values()) == row.people
        weighted = sum(one.people * one.measures["NDCG@10"][0] for one in row.segments.values()) / row.people
        assert weighted == pytest.approx(row.measures["NDCG@10"][0])
    assert {name for name, row in rows.items() if row.tried} == set(MODELS)
    members = [rows[name] for name in rows[BLEND].settings]
    assert rows[BLEND].fit_s == pytest.approx(sum(row.fit_s for row in members))
    assert rows[BLEND].megabytes == pytest.approx(sum(row.megabytes for row in members))


def test_the_blends_are_timed_by_engines_that_serve_what_was_measured(circle: Path) -> None:
    made = Contest(task_of("next-item", circle, None), Choices(MODELS, budget_s=0.0), Report(StringIO(), StringIO()))
    entries = [made._popular(), *made._models()]
    learned = replace(made._learned(entries), weights={BASELINE: 0.0, "als": 0.2, "ease": 0.5, "next_item": 0.3})
    learned = replace(
        learned, segments=tuple(replace(one, weights=learned.weights, has_separate_weights=False) for one in learned.segments)
    )
    models = {entry.name: entry.trained for entry in entries if entry.trained is not None}
    panel = made.task.test.some(20)
    engines = contests._serving(models, {}, panel.material, learned)
    assert list(engines) == [BASELINE, *MODELS, BLEND]
    parts = {name: scaled(score_people(engines[name], panel), panel.eligible) for name in (BASELINE, *MODELS)}
    expected = served(parts, learned.segments, panel.material.histories.counts[panel.users])
    np.testing.assert_allclose(score_people(engines[BLEND], panel), expected, atol=1e-6)


def test_weights_are_learned_on_as_many_people_as_memory_allows(circle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    valid = task_of("next-item", circle, None).valid
    assert weighed(valid) == contests.WEIGHED
    monkeypatch.setattr(contests, "WEIGHED_SCORES", 30 * 1_500)
    assert weighed(valid) == 1_500
    monkeypatch.setattr(contests, "WEIGHED_SCORES", 30)
    assert weighed(valid) == contests.PEOPLE


def test_the_command_prints_the_table_and_writes_it(circle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, memory = tmp_path / "out.json", tmp_path / "memory.json"
    words = [str(circle), "--protocol", "next-item", "--model", "ease", "--budget-seconds", "1"]
    more = ["--segments", "--markdown", str(tmp_path / "out.md"), "--pictures", str(tmp_path / "pictures")]
    assert evaluate([*words, *more, "--json", str(out), "--resume", str(memory)]) == 0
    printed = capsys.readouterr().out
    assert "NDCG@10 95 %" in printed
    assert "1 thread a request" in printed
    assert "NDCG@10 by interactions before" in printed
    body = json.loads(out.read_text())
    assert [row["model"] for row in body["rows"]] == [BASELINE, "ease", BLEND]
    assert body["train_sha256"]
    assert body["threads"]["request"] == 1
    assert body["validation_people"] == {"settings": 90, "weights": 90}
    ease = body["rows"][1]
    assert ease["request_ms"] > 0
    assert ease["tried"][0]["at_s"] <= ease["tried"][-1]["at_s"]
    assert sum(one["people"] for one in ease["segments"].values()) == 90
    assert "| ease | " in (tmp_path / "out.md").read_text()
    assert (tmp_path / "pictures" / "cost.svg").exists()
    tried = len(json.loads(memory.read_text())["scores"])
    assert tried >= 2
    assert evaluate([*words, "--resume", str(memory)]) == 0


def test_a_wrong_file_is_one_line_and_a_test_file_belongs_to_holdout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate([str(tmp_path / "none.csv"), "--protocol", "time"]) == 1
    assert "none.csv: cannot be read" in capsys.readouterr().err
    assert evaluate(["a", "--protocol", "time", "--test", "b"]) == 2


def test_what_could_not_be_written_is_told_before_anything_is_trained(
    circle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(circle)]
    wrong = {"--json": tmp_path / "nowhere" / "a.json", "--markdown": tmp_path, "--pictures": circle}
    for option, path in wrong.items():
        assert evaluate([*words, option, str(path)]) == 2
        assert str(path) in capsys.readouterr().err
