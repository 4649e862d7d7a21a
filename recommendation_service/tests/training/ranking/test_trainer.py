"""From recorded lists to a published ranker: when there are enough, when it is sure, and what is said when not."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.performance import learned_ranker as bench
from benchmarks.performance.click_simulation import NOW, USE_CASE, World, make_world
from recommendation_service.cli import script
from recommendation_service.datasets.export import write_export
from recommendation_service.domain.request import RecommendationRequest
from recommendation_service.errors import ConfigurationError
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.services.recommendation_service import RecommendationService
from recommendation_service.settings import load_settings
from recommendation_service.training.parameters import RankerParameters, read_parameters
from recommendation_service.training.report import Report
from recommendation_service.training.runner import run_training
from recommendation_service.training.session import TrainingOptions
from recommendation_service.training.workspace import Workspace
from recommendation_service.use_cases.schema import Part, UseCase
from recommendation_service.wiring import build_engines, build_live

train_ranker = script("train", "ranker")


def train(root: Path, *, use_case: UseCase = USE_CASE, dry_run: bool = False, **options: object) -> tuple[int, list[str]]:
    """The exit code, and the lines of the result."""
    out = io.StringIO()
    workspace = Workspace(root / "data", root / "models", (use_case,), named=True)
    training = TrainingOptions(**options)  # type: ignore[arg-type]  # each option has its own type
    report = Report(out, io.StringIO())
    run = run_training(workspace, [], training, build_engines, report, ranker=True, dry_run=dry_run)
    return int(run.refused), [*out.getvalue().splitlines(), f"next: {run.next_command}"]


def line_of(lines: list[str]) -> str:
    return next(line for line in lines if line.startswith("stall      learned"))


def store(root: Path) -> ArtifactStore:
    return ArtifactStore(root / "models" / "stall")


@pytest.fixture(scope="module")
def clicked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with enough lists whose clicks say what people like, trained once."""
    root = tmp_path_factory.mktemp("clicked")
    make_world().export(root / "data")
    code, lines = train(root)
    (root / "lines.txt").write_text("\n".join(lines))
    assert code == 0
    return root


def test_a_sure_gain_is_published_and_told(clicked) -> None:
    line = line_of((clicked / "lines.txt").read_text().splitlines())
    assert "in the engine's own order" in line
    assert line.endswith("-> learned_v1")
    assert "mostly by " in line
    figures = store(clicked).load("learned").manifest.metrics
    low, high = figures["gain_interval"]
    assert 0 < low < figures["learned_ndcg_at_10"] - figures["engine_ndcg_at_10"] < high
    assert figures["looked_at"][0] == 1.0
    assert figures["looked_at"][-1] < 0.5
    assert figures["held_out_lists"] > 200
    assert sum(figures["importance"].values()) == pytest.approx(1)


def test_the_manifest_tells_what_it_was_made_of(clicked) -> None:
    manifest = store(clicked).load("learned").manifest
    assert manifest.parameters == {**manifest.parameters, "trees": 100, "correct_positions": True, "seed": 42}
    assert manifest.dataset["lists"] > 1_000
    assert set(manifest.libraries) == {"lightgbm", "numpy"}
    assert manifest.warnings == ()


def test_the_learned_order_beats_the_engines_by_what_people_really_like(tmp_path) -> None:
    found = bench.judged(make_world(), tmp_path)
    assert found.gate.sure
    assert found.true.sure
    assert found.true.learned > found.true.engine + 0.05


def test_clicks_as_they_are_would_have_hidden_the_gain(tmp_path) -> None:
    found = bench.judged(make_world(bias=1.0), tmp_path)
    assert found.true.sure
    assert not found.clicked.sure
    assert found.gate.sure


def test_without_the_correction_for_places_less_is_learned_of_what_people_like(tmp_path) -> None:
    world = make_world(bias=1.0, lists=3_000)
    plain = bench.judged(world, tmp_path / "plain", RankerParameters(correct_positions=False))
    assert bench.judged(world, tmp_path / "corrected").true.learned > plain.true.learned


@pytest.mark.parametrize("bias", [0.0, 0.7])
def test_from_clicks_that_are_noise_nothing_is_published(tmp_path, bias: float) -> None:
    make_world(noise=True, bias=bias, seed=1).export(tmp_path / "data")
    code, lines = train(tmp_path)
    assert code == 0
    assert "skipped: NDCG@10" in line_of(lines)
    assert "not published, because the difference may be chance" in line_of(lines)
    assert store(tmp_path).load("learned") is None


def test_what_may_be_chance_leaves_todays_ranker_in_place(clicked, tmp_path) -> None:
    make_world(noise=True, seed=1).export(tmp_path / "data")
    (tmp_path / "models").symlink_to(clicked / "models")
    _, lines = train(tmp_path)
    assert line_of(lines).endswith("; the published model stays in use")
    assert store(tmp_path).load("learned").version == "learned_v1"


def test_what_may_be_chance_can_be_forced_and_the_manifest_says_so(tmp_path) -> None:
    make_world(noise=True, seed=1).export(tmp_path / "data")
    _, lines = train(tmp_path, force=True)
    assert line_of(lines).endswith("-> learned_v1")
    (warning,) = store(tmp_path).load("learned").manifest.warnings
    assert warning.startswith("forced: NDCG@10")


def test_too_few_lists_are_one_honest_line(tmp_path) -> None:
    make_world(lists=200).export(tmp_path / "data")
    code, lines = train(tmp_path)
    assert code == 0
    (line,) = [one for one in lines if " learned " in one]
    assert line.partition("skipped: ")[2].endswith(" lists with a click, 500 are needed")
    assert store(tmp_path).load("learned") is None


def test_many_lists_of_few_people_are_not_enough(tmp_path) -> None:
    make_world(visitors=20, lists=900).export(tmp_path / "data")
    assert "but of only 20 users; 50 are needed" in line_of(train(tmp_path)[1])


def test_an_export_without_lists_is_told_with_the_fix(tmp_path) -> None:
    source = make_world(lists=50)._source()
    write_export(tmp_path / "data", USE_CASE, "stall", replace(source, shown=None), now=NOW)
    assert "has no shown lists; run: manage.py generate_all_datasets" in line_of(train(tmp_path)[1])


def test_lists_of_surfaces_that_the_ranker_does_not_order_do_not_count(tmp_path) -> None:
    make_world().export(tmp_path / "data")
    home = USE_CASE.surfaces["home"].model_copy(update={"rerank": ()})
    elsewhere = USE_CASE.model_copy(update={"surfaces": {"home": home}})
    assert "skipped: 0 lists with a click" in line_of(train(tmp_path, use_case=elsewhere)[1])


def test_a_use_case_without_a_learned_ranker_has_nothing_to_learn(tmp_path) -> None:
    make_world(lists=50).export(tmp_path / "data")
    bare = USE_CASE.model_copy(update={"rankers": {}})
    _, lines = train(tmp_path, use_case=bare)
    assert not [line for line in lines if "learned" in line]
    assert "stall      nothing to train" in train(tmp_path, use_case=bare, dry_run=True)[1]


def test_a_dry_run_says_what_would_be_learned_and_does_not(tmp_path) -> None:
    make_world(lists=50).export(tmp_path / "data")
    _, lines = train(tmp_path, dry_run=True)
    assert "stall      would learn the ranker" in lines
    assert not (tmp_path / "models").exists()


def test_training_twice_gives_equal_trees(clicked, tmp_path) -> None:
    (tmp_path / "data").symlink_to(clicked / "data")
    train(tmp_path)
    first, again = (store(root).load("learned") for root in (clicked, tmp_path))
    for name, array in first.arrays.items():
        np.testing.assert_array_equal(array, again.arrays[name])


def read(training: dict[str, object]) -> RankerParameters:
    """The parameters of a use case whose file has this training of its ranker."""
    use_case = USE_CASE.model_copy(update={"rankers": {"learned": Part(kind="learned", training=training)}})
    return read_parameters(RankerParameters(seed=7), use_case, "learned")


def test_the_use_case_file_may_say_how_it_is_trained() -> None:
    told = read({"trees": 20, "correct_positions": False})
    assert told == RankerParameters(trees=20, correct_positions=False, seed=7)
    with pytest.raises(
        ConfigurationError, match=r"stall: ranker 'learned', training does not know 'threes'; its keys are .*trees"
    ):
        read({"threes": 20})


@pytest.mark.parametrize(
    ("word", "value"),
    [("trees", 0), ("leaves", 1), ("learning_rate", -0.1), ("least_in_leaf", "many"), ("trees", True), ("leaves", 2.5)],
)
def test_a_value_that_grows_no_trees_is_refused_with_its_word(word: str, value: object) -> None:
    with pytest.raises(
        ConfigurationError, match=rf"stall: ranker 'learned', training: {word} must be a (whole )?number of at least"
    ):
        read({word: value})


def test_the_command_learns_what_its_use_case_file_names(clicked, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("RS_USE_CASES_DIR", str(use_cases_in(tmp_path)))
    options = ["--use-case", "stall", "--data-dir", str(clicked / "data"), "--models-dir", str(tmp_path / "models")]
    assert train_ranker(options) == 0
    assert "-> learned_v1" in capsys.readouterr().out


def use_cases_in(folder: Path) -> Path:
    """A folder with the stall's file, as its owner would write it."""
    made = folder / "use_cases"
    made.mkdir()
    (made / "stall.toml").write_text(
        """
        name = "stall"
        catalogues = ["stall"]
        [events]
        view = 1.0
        click = 1.5
        purchase = 5.0
        [weighting]
        decay_days = 60
        [engines]
        popular = { kind = "popularity" }
        [rankers]
        learned = { kind = "learned" }
        [surfaces.home]
        catalogue = "stall"
        router = { kind = "fixed", options = { engine = "popular" } }
        fallback = ["popular"]
        rerank = [{ kind = "rescore", options = { by = ["learned"], top = 20 } }]
        rules = []
        """
    )
    return made


def service_over(root: Path, folder: Path) -> RecommendationService:
    environment = {
        "RS_DATA_DIR": str(root / "data"),
        "RS_MODELS_DIR": str(root / "models"),
        "RS_USE_CASES_DIR": str(use_cases_in(folder)),
        "RS_LOG_FILE": str(folder / "app.log"),
    }
    return build_live(load_settings(environment)).serving.recommender


def asked(service: RecommendationService) -> tuple[list[str], str, list[str]]:
    """The items, who rescored them, and what went wrong."""
    slate = service.recommend(
        RecommendationRequest(user_id="v0001", limit=20, explain=True), use_case="stall", surface="home", now=NOW
    )
    (told,) = [run.detail for run in slate.stages if run.name == "rescore"]
    return [one.item_id for one in slate.recommendations], told, [skip.code for skip in slate.degradation]


def test_the_published_ranker_orders_the_answers_and_the_answer_says_so(clicked, tmp_path) -> None:
    items, told, wrong = asked(service_over(clicked, tmp_path))
    assert (told, wrong) == ("by learned", [])
    (tmp_path / "data").symlink_to(clicked / "data")
    (tmp_path / "untrained").mkdir()
    plain, nobody, silent = asked(service_over(tmp_path, tmp_path / "untrained"))
    assert (nobody, silent) == ("", [])
    assert sorted(items) == sorted(plain)
    assert items != plain


def test_a_damaged_ranker_costs_its_order_and_is_told(clicked, tmp_path) -> None:
    root = tmp_path / "site"
    models = root / "models" / "stall"
    models.mkdir(parents=True)
    (root / "data").symlink_to(clicked / "data")
    for path in (clicked / "models" / "stall").rglob("*"):
        if path.is_file():
            copy = models / path.relative_to(clicked / "models" / "stall")
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(path.read_bytes())
    values = models / "learned_v1" / "node_value.npy"
    raw = bytearray(values.read_bytes())
    raw[-3] ^= 1
    values.write_bytes(raw)
    items, told, wrong = asked(service_over(root, tmp_path))
    assert len(items) == 20
    assert told == ""
    assert wrong == ["refused"]


def test_the_importance_in_the_manifest_is_plain_json(clicked) -> None:
    metrics = store(clicked).load("learned").manifest.metrics
    assert json.loads(json.dumps(metrics)) == metrics


def test_worlds_with_one_seed_are_one_world() -> None:
    first, again = (make_world(visitors=10, goods=30, lists=10, seed=4) for _ in range(2))
    assert isinstance(first, World)
    np.testing.assert_array_equal(first.done, again.done)
    np.testing.assert_array_equal(first.rows, again.rows)
