from dataclasses import replace

import numpy as np
import pytest
import torch

from recommendation_service.datasets.records import ItemRecord
from recommendation_service.domain.history import History
from recommendation_service.domain.query import Query
from recommendation_service.engines.margin import Margin
from recommendation_service.publishing import array_schemas
from recommendation_service.tests.support.exports import NOW, Happening, clubs
from recommendation_service.tests.support.materials import club_material, club_panel, material_of
from recommendation_service.training.data import NotEnough
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import score_people
from recommendation_service.training.models.margin_mf import (
    HybridRecommenderModel,
    Likes,
    _ranking_loss,
    chances,
    content_features,
    panel_scores,
    relative_weights,
    train_margin,
)
from recommendation_service.training.parameters import MarginParameters
from recommendation_service.use_cases.loader import load

SMALL = MarginParameters(emb_dim=8, content_dim=4, epochs=12, learning_rate=0.02, words=20)
CPU = torch.device("cpu")


def engine_of(trained, material):
    return Margin("collaborative", trained.artifact("posts"), material.catalogue)


def ask(material, rows=(), user_id=None):
    history = History(np.array(rows, dtype=np.int64), np.ones(len(rows), dtype=np.float32), len(rows))
    everything = np.ones(len(material.catalogue), dtype=np.bool_)
    return Query(material.catalogue, history, 10, NOW, everything, user_id=user_id)


def test_two_runs_give_the_same_bytes_and_another_seed_gives_others():
    early, panel, _ = club_panel()
    first, second, other = (train_margin(early, replace(SMALL, seed=seed), panel=panel) for seed in (1, 1, 2))
    assert {name: array.tobytes() for name, array in first.arrays.items()} == {
        name: array.tobytes() for name, array in second.arrays.items()
    }
    assert first.parameters == second.parameters
    assert first.arrays["item_vectors"].tobytes() != other.arrays["item_vectors"].tobytes()


def test_training_leaves_the_process_settings_of_torch_as_they_were():
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    train_margin(club_material()[0], replace(SMALL, epochs=1))
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before


def test_the_serving_engine_scores_as_training_measured():
    early, panel, _ = club_panel()
    trained = train_margin(early, replace(SMALL, recent=3))
    served = score_people(engine_of(trained, early), panel)
    assert np.allclose(served, panel_scores(dict(trained.arrays), replace(SMALL, recent=3), panel), atol=1e-4)


def test_people_get_their_own_club():
    early, panel, _ = club_panel(people=60, items=30, events_each=12)
    trained = train_margin(early, SMALL, panel=panel)
    lists = metrics.top_k(score_people(engine_of(trained, early), panel), panel.eligible, 3)
    assert (lists % 2 == (panel.users % 2)[:, None]).mean() > 0.9


def test_the_arrays_have_the_sizes_that_were_asked_for_and_the_shapes_serving_checks():
    material, _ = club_material()
    trained = train_margin(material, replace(SMALL, emb_dim=32, content_dim=16, epochs=1))
    n_items, n_users = len(material.catalogue), len(material.user_ids)
    assert trained.arrays["item_vectors"].shape == (n_items, 32)
    assert trained.arrays["content_vectors"].shape == (n_items, 16)
    assert trained.arrays["user_vectors"].shape == (n_users, 32)
    array_schemas.check("margin", trained.arrays, where="margin_v1")


def test_the_loss_of_every_epoch_is_told_and_falls():
    told = []
    train_margin(club_material()[0], SMALL, progress=lambda done, most, word: told.append((done, most, word)))
    assert [(done, most) for done, most, _ in told] == [(epoch, 12) for epoch in range(1, 13)]
    losses = [float(word.removeprefix("avg_loss ")) for _, _, word in told]
    assert losses[-1] < losses[0] / 2


def test_validation_stops_training_and_the_kept_epochs_are_told():
    early, panel, _ = club_panel()
    told = []
    parameters = replace(SMALL, epochs=60, patience=2)
    trained = train_margin(early, parameters, panel=panel, progress=lambda done, most, word: told.append((done, word)))
    assert told[-1][0] < 60
    assert trained.parameters["epochs"] == told[-1][0] - 2
    assert "validation NDCG@10" in told[0][1]


def test_someone_training_never_saw_is_known_by_a_few_likes_and_not_at_all_without():
    material, _ = club_material(people=60, items=30, events_each=12)
    engine = engine_of(train_margin(material, SMALL), material)
    scores = engine.scores(ask(material, rows=[1, 3, 5], user_id="somebody new"))
    assert engine.scores(ask(material, user_id="somebody new")) is None
    assert scores[1::2].mean() > scores[0::2].mean()


def test_an_item_nobody_touched_stands_with_its_own_kind_by_its_content():
    records, happenings, profiles = clubs(people=60, items=30, events_each=12)
    newcomer = ItemRecord("i999", "New", "word1 common", "c1", ("t1",))
    material, _ = material_of([*records, newcomer], happenings, profiles)
    engine = engine_of(train_margin(material, SMALL), material)
    row = material.catalogue.ids.row("i999")
    assert engine.scores(ask(material, rows=[1, 3, 5]))[row] > engine.scores(ask(material, rows=[0, 2, 4]))[row]


@pytest.mark.parametrize("happenings", [[], [Happening("a", "i000", "like", NOW)]], ids=["nothing", "one event"])
def test_too_little_is_said_and_never_trained(happenings):
    material, _ = material_of(clubs()[0], happenings, {"a": {}})
    with pytest.raises(NotEnough, match="margin needs 2 people"):
        train_margin(material, SMALL)


def test_people_who_like_everything_leave_nothing_to_learn_from_and_break_nothing():
    everything = [Happening(f"u{user}", f"i{row:03d}", "like", NOW - row) for user in range(4) for row in range(24)]
    material, _ = material_of(clubs()[0], everything)
    trained = train_margin(material, replace(SMALL, epochs=2))
    assert all(np.isfinite(array).all() for array in trained.arrays.values() if array.dtype.kind == "f")


def test_the_margin_loss_is_zero_only_when_the_liked_item_wins_by_the_margin():
    good = torch.tensor([3.0, 3.0, 3.0])
    others = torch.tensor([[1.0, 1.9], [1.0, 2.5], [-torch.inf, 4.0]])
    lost = [float(_ranking_loss(good[[row]], others[[row]], 1.0, 100)) for row in range(3)]
    log = np.log1p
    assert lost == pytest.approx([0.0, 0.5 * log(50) / log(100), 2.0 * log(50) / log(100)], rel=1e-5)


def test_an_item_liked_too_never_teaches_that_it_should_lose():
    good = torch.tensor([0.0], requires_grad=True)
    assert float(_ranking_loss(good, torch.tensor([[-torch.inf, -torch.inf]]), 1.0, 10).detach()) == 0.0


def test_a_like_is_foreseen_from_what_came_before_it_only():
    material, _ = material_of(clubs()[0], [Happening("a", f"i{row:03d}", "like", NOW - row) for row in range(4)])
    likes = Likes.of(material.histories, CPU)
    rows, shares = likes.before(torch.tensor([1, 3]), 3)
    assert rows[0][shares[0] > 0].tolist() == [2, 3]
    assert (shares[1] == 0).all()
    assert shares[0][:2].tolist() == pytest.approx([2**-0.5] * 2)


def test_what_a_person_likes_is_told_from_what_they_do_not():
    material, _ = club_material(people=4, items=8, events_each=2)
    likes = Likes.of(material.histories, CPU)
    liked = material.histories.liked()
    everything = torch.arange(8).expand(4, 8)
    found = likes.liked(torch.arange(4), everything, 8).numpy()
    assert (found == (liked.matrix().toarray() > 0)).all()


def test_likes_are_weighed_in_units_of_each_persons_mean():
    events = [Happening("a", "i000", "view", NOW), Happening("a", "i001", "like", NOW - 1), Happening("b", "i002", "view", NOW)]
    material, _ = material_of(clubs()[0], events, {"c": {}}, weight={"view": 1.0, "like": 3.0})
    assert relative_weights(material.histories.liked()).tolist() == pytest.approx([0.5, 1.5, 1.0])


def test_items_are_tried_by_popularity_to_a_power_and_never_when_nobody_liked_them():
    counts = np.array([1, 4, 0, 9], dtype=np.float32)
    even, by_root = (np.diff(chances(counts, replace(SMALL, popularity_power=power)), prepend=0) for power in (0.0, 0.5))
    assert even.tolist() == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3])
    assert by_root.tolist() == pytest.approx([1 / 6, 2 / 6, 0, 3 / 6])


def test_content_features_hold_category_tags_and_shared_words():
    material, _ = club_material(items=6)
    with_words, without = content_features(material, 20), content_features(material, 0)
    assert without.shape[1] == 4  # c0, c1, t0, t1
    assert with_words.shape[1] > 4
    bare = [ItemRecord(f"i{row}", "") for row in range(3)]
    assert content_features(material_of(bare, [])[0], 20).nnz == 0


def test_the_model_is_a_torch_module_with_embeddings_of_people_items_and_content():
    features = torch.eye(5).to_sparse()
    model = HybridRecommenderModel(features, torch.ones(5, 1), 3, SMALL)
    content = model.content()
    assert (content.shape, model.items(content).shape, model.history(content).shape) == ((5, 4), (5, 8), (5, 8))
    assert model.user_embeddings.shape == (3, 8)
    untouched = HybridRecommenderModel(features, torch.zeros(5, 1), 3, SMALL)
    assert torch.allclose(untouched.items(untouched.content()), untouched.content() @ untouched.item_projection)


def test_the_posts_file_says_the_sizes_of_the_acceptance_list():
    training = load("posts").engines["collaborative"].training
    assert training == {"emb_dim": 32, "content_dim": 16}
