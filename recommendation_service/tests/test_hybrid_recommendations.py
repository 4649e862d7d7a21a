"""The hybrid of the blog, whole: trained by its command, served by the pipeline, better than what it replaces."""

import dataclasses
import json

import numpy as np
import pytest

from recommendation_service.cli import script
from recommendation_service.commands.evaluate_lists import Trial, Variant, variants
from recommendation_service.datasets.reader import Dataset
from recommendation_service.domain.history import PastEvent
from recommendation_service.domain.request import RecommendationRequest
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.tests.support.exports import NOW, write_export
from recommendation_service.tests.support.magazine import SUBJECTS, magazine
from recommendation_service.tests.support.materials import material_of
from recommendation_service.tests.support.service import settings_under
from recommendation_service.training.evaluation.evaluator import build_evaluation_users, score_people
from recommendation_service.training.evaluation.metrics import ndcg
from recommendation_service.training.evaluation.splits import time_split
from recommendation_service.training.parameters import MarginParameters
from recommendation_service.training.report import Report
from recommendation_service.training.trainers import fit
from recommendation_service.use_cases.loader import load
from recommendation_service.wiring import ENGINES, build_service

train_margin = script("train", "margin")
evaluate_lists = script("evaluate", "lists")
embedding_map = script("embedding-map")

POSTS, SURFACE = load("posts"), "hybrid-recommendations"
QUICK = ["--emb-dim", "16", "--content-dim", "8", "--epochs", "4", "--learning-rate", "0.02", "--also", "content"]


def options(root, *more):
    return ["--use-case", "posts", "--data-dir", str(root / "data"), "--models-dir", str(root / "models"), *more]


@pytest.fixture(scope="module")
def blog(tmp_path_factory):
    """An export of the magazine with both halves of the hybrid published."""
    root = tmp_path_factory.mktemp("blog")
    write_export(root / "data", POSTS, *magazine())
    assert train_margin(options(root, *QUICK)) == 0
    return root


@pytest.fixture(scope="module")
def service(blog):
    return build_service(settings_under(blog, RS_USE_CASES="posts"))


@pytest.fixture(scope="module")
def trial(blog):
    return Trial(POSTS, SURFACE, Dataset.open(blog / "data", "posts"), Report(), people=60, seed=42)


AT = {"use_case": "posts", "surface": SURFACE, "now": NOW}


def ask(user_id="u001", limit=20, **words):
    return RecommendationRequest(user_id=user_id, limit=limit, **words)


def test_a_reader_gets_twenty_scored_posts_by_the_hybrid_each_with_both_parts(service):
    slate = service.recommend(ask(explain=True), **AT)
    assert slate.method_used == "hybrid"
    assert not slate.degraded
    assert len(slate.recommendations) == 20
    scores = [one.score for one in slate.recommendations]
    assert scores == sorted(scores, reverse=True)
    assert all({"collaborative", "content_based", "freshness", "diversity"} <= set(one.parts) for one in slate.recommendations)
    assert all(sum(one.parts.values()) == pytest.approx(one.score, abs=1e-5) for one in slate.recommendations)


def test_collaborative_weighs_seventy_percent_and_content_thirty(service):
    shown = service.recommend(ask(explain=True, limit=60), **AT).recommendations
    for name, most in (("collaborative", 0.7), ("content_based", 0.3)):
        parts = np.array([one.parts[name] for one in shown])
        assert 0 <= parts.min() <= parts.max() <= most + 1e-6
    best = max(one.parts["collaborative"] for one in shown)
    assert best == pytest.approx(0.7, abs=0.01)


def test_fresh_posts_gain_five_to_twenty_percent_and_older_ones_nothing(service):
    catalogue = service.runtime.use_cases["posts"].catalogues["posts"].catalogue
    shown = service.recommend(ask(explain=True, limit=100), **AT).recommendations
    age_days = {one.item_id: NOW / 86_400 - catalogue.created[catalogue.ids.row(one.item_id)] for one in shown}
    young = [one.parts["freshness"] for one in shown if age_days[one.item_id] < 29.9]
    old = [one.parts["freshness"] for one in shown if age_days[one.item_id] > 30.1]
    assert len(young) > 5
    assert len(old) > 5
    assert 0.04 < min(young) < max(young) <= 0.2  # of a score range that is 1 at most
    assert set(old) == {0.0}


def test_a_new_click_changes_the_list_without_training_again(service):
    other = SUBJECTS[(1 + 2) % 4]
    history = tuple(PastEvent(f"p{row:03d}", "like", NOW - row) for row in (1, 5, 9))
    clicks = tuple(PastEvent(f"p{row:03d}", "share", NOW) for row in (3, 7, 11, 15))
    subjects = [
        [one.item_id for one in service.recommend(ask(history=past, limit=10), **AT).recommendations]
        for past in (history, history + clicks)
    ]
    before, after = ([SUBJECTS[int(item[1:]) % 4] for item in shown].count(other) for shown in subjects)
    assert after > before


def test_everybody_gets_a_full_list_newcomers_and_strangers_too(service):
    methods = {}
    for user_id in [*(f"u{person:03d}" for person in range(0, 60, 7)), "n000", "n001", "nobody-knows-me"]:
        slate = service.recommend(ask(user_id, limit=12), **AT)
        assert len(slate.recommendations) == 12
        methods[user_id] = slate.method_used
    assert methods["n001"] == "content_based"  # interests, and nothing done yet
    assert methods["n000"] == methods["nobody-knows-me"] == "popular"


def test_without_any_model_the_list_is_popular_and_never_empty(tmp_path):
    write_export(tmp_path / "data", POSTS, *magazine(people=8))
    slate = build_service(settings_under(tmp_path, RS_USE_CASES="posts")).recommend(ask(), **AT)
    assert (slate.method_used, len(slate.recommendations)) == ("popular", 20)
    assert [(skip.engine, skip.code) for skip in slate.degradation] == [
        ("hybrid", "not_trained"),
        ("collaborative", "not_trained"),
        ("content_based", "not_trained"),
    ]


class TestImproves:
    """What the hybrid replaces: one collaborative model, basic sampling, one size, no variety, no metadata."""

    def test_harder_negatives_beat_one_drawn_evenly(self):
        records, happenings, profiles = magazine(people=160, posts=200, events_each=20)
        material, events = material_of(records, happenings, profiles, weight={"view": 1.0})
        split = time_split(events, (0.8, 0.2, 0.0))
        early = material.as_of(split.train, POSTS.weighting, split.valid_start)
        panel = build_evaluation_users(early, split.valid, with_history=True)

        def score(negatives: int) -> float:
            found = []
            for seed in (1, 2, 3):
                own = MarginParameters(emb_dim=16, content_dim=8, epochs=3, negatives=negatives, words=0, seed=seed)
                model = fit(early, "margin", own).trained.artifact("posts")
                engine = ENGINES["margin"]("collaborative", model, early.catalogue)
                found.append(ndcg(score_people(engine, panel), panel.eligible, panel.relevant))
            return float(np.mean(found))

        assert score(8) > score(1)

    def test_the_size_of_the_vectors_is_a_setting(self, blog):
        manifest = ArtifactStore(blog / "models" / "posts").load("margin").manifest
        assert (manifest.parameters["emb_dim"], manifest.parameters["content_dim"]) == (16, 8)

    def test_lists_are_less_redundant_with_the_diversity_penalty_and_cover_more_categories(self, trial):
        cold = trial.newcomers(10)
        by_name = {one.name: trial.measure(one, 12, cold) for one in variants(POSTS.surfaces[SURFACE])}
        bare, varied = by_name["hybrid"].lists, by_name["hybrid + diversity"].lists
        assert varied.redundancy < bare.redundancy
        assert varied.categories >= bare.categories
        assert by_name["hybrid + freshness"].lists.fresh > bare.fresh
        assert all(one.newcomers_full == 1.0 for one in by_name.values())

    def test_what_is_served_beats_popularity(self, trial):
        cold = trial.newcomers(1)
        found = {one.name: trial.measure(one, 12, cold).lists.ndcg for one in variants(POSTS.surfaces[SURFACE])}
        assert found["hybrid + freshness + diversity"] > found["popular"]

    def test_metadata_places_a_post_that_nobody_has_read(self, blog):
        model = ArtifactStore(blog / "models" / "posts").load("margin")
        catalogue = Dataset.open(blog / "data", "posts").catalogue()
        unread = np.flatnonzero(catalogue.popularity == 0)
        assert unread.size
        vectors = model.arrays["item_vectors"] / np.linalg.norm(model.arrays["item_vectors"], axis=1, keepdims=True)
        subject = np.arange(len(catalogue)) % 4
        alike = vectors[unread] @ vectors.T
        own = np.array([row[subject == subject[item]].mean() for row, item in zip(alike, unread, strict=True)])
        assert (own > alike.mean(axis=1)).mean() > 0.9


def test_training_says_the_loss_of_every_epoch_shows_lists_and_ends_with_the_next_command(blog, tmp_path, capsys):
    place = [*options(blog), "--models-dir", str(tmp_path)]
    assert train_margin([*place, *QUICK, "--topn", "3"]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    losses = [line for line in lines if "avg_loss" in line]
    assert [line.split("epoch ")[1].split(" ")[0] for line in losses[:4]] == ["1/4", "2/4", "3/4", "4/4"]
    assert any(line.endswith("3 items by hybrid") for line in lines)
    assert any("0 interactions, 3 items by" in line for line in lines)
    assert [line.split(".")[0].strip() for line in lines if line.startswith("    ")][:3] == ["1", "2", "3"]
    assert lines[-1] == "next: tandem evaluate models --use-case posts"
    assert "degraded" not in printed.err


@pytest.mark.parametrize("wrong", [["--emb-dim", "0"], ["--margin", "0"], ["--topn", "101"], ["--popularity-power", "-1"]])
def test_wrong_usage_of_training_ends_with_two(blog, wrong, capsys):
    assert train_margin([*options(blog), *wrong]) == 2
    assert "Error: Invalid value" in capsys.readouterr().err


def test_measuring_prints_a_row_a_variant_and_what_it_means(blog, tmp_path, capsys):
    file = tmp_path / "lists.json"
    assert (
        evaluate_lists(
            [*options(blog)[:4], "--k", "8", "--people", "20", "--diversity", "0", "--diversity", "1.5", "--json", str(file)]
        )
        == 0
    )
    printed = capsys.readouterr().out
    for name in ("popular", "content_based", "collaborative", "hybrid", "hybrid + diversity", "hybrid + freshness + diversity"):
        assert f"| {name} |" in printed
    for word in (
        "relevance: NDCG@8",
        "redundancy: ",
        "fresh items: ",
        "cold start: 100%",
        "one answer: median",
        "| as routed |",
        "| interactions |",
    ):
        assert word in printed
    by_name = {one["name"]: one["lists"] for one in json.loads(file.read_text())["rows"]}
    varied, alike = (by_name[f"as served, diversity {weight}"]["redundancy"] for weight in ("1.5", "0"))
    assert varied < by_name["hybrid + freshness + diversity"]["redundancy"] < alike


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--surface", "cart"], 1, "'cart' is no surface about users; those are hybrid-recommendations"),
        (["--k", "0"], 2, "--k"),
    ],
)
def test_measuring_says_what_is_wrong(blog, words, code, told, capsys):
    assert evaluate_lists([*options(blog)[:4], *words]) == code
    assert told in capsys.readouterr().err


def test_a_trial_asks_about_the_past_as_it_was(trial):
    known = [trial.material.user_ids.id(int(user)) for user in trial.panel.users[:5]]
    for user_id in known:
        assert all(one.time < trial.material.now for one in trial._source.history(user_id))
    assert trial._source.history("nobody") is None


def test_variants_are_each_engine_alone_then_each_reranker_then_all():
    names = [one.name for one in variants(POSTS.surfaces[SURFACE])]
    assert names == [
        "popular",
        "content_based",
        "collaborative",
        "hybrid",
        "hybrid + freshness",
        "hybrid + diversity",
        "hybrid + freshness + diversity",
    ]
    startups = variants(load("startups").surfaces["for-developer"])
    assert [one.name for one in startups][-1] == "ensemble"
    assert all(isinstance(one, Variant) and dataclasses.is_dataclass(one) for one in startups)


def test_the_map_is_drawn_and_says_how_many_neighbours_are_of_one_category(blog, tmp_path, capsys):
    path = tmp_path / "map.svg"
    assert embedding_map([*options(blog), "--output", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "map.svg: 120 of 120 items of margin_v1, 4 categories" in printed
    assert "of its own category; chance would give 2" in printed
    assert "python (30)" in path.read_text()


def test_a_map_without_a_model_or_a_place_says_the_fix(blog, tmp_path, capsys):
    assert embedding_map([*options(blog), "--kind", "als", "--output", str(tmp_path / "map.svg")]) == 1
    assert "no published model of kind als; run: tandem train all" in capsys.readouterr().err
    assert embedding_map([*options(blog), "--output", str(tmp_path / "no" / "map.svg")]) == 1
    assert capsys.readouterr().err == "error: no/map.svg: No such file or directory; check the path\n"
    assert embedding_map([*options(blog), "--output", "map.gif"]) == 2
