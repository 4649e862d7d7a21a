from dataclasses import replace

import numpy as np
import pytest
import torch

from recommendation_service.datasets.records import ItemRecord
from recommendation_service.engines.sasrec import SASRec
from recommendation_service.publishing.array_schemas import check
from recommendation_service.tests.support.exports import NOW, Happening
from recommendation_service.tests.support.materials import club_panel, material_of
from recommendation_service.training.data import NotEnough
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import build_evaluation_users, score_people
from recommendation_service.training.models import sasrec
from recommendation_service.training.models.sasrec import Transformer, next_item_loss, rate_at, train_sasrec
from recommendation_service.training.parameters import SASRecParameters

ITEMS = [ItemRecord(f"item-{row:03d}", f"Tile {row}") for row in range(12)]
SMALL = SASRecParameters(
    dimension=8, layers=1, recent=6, epochs=12, learning_rate=0.02, batch=256, dropout=0.0, short_dropout=0.0
)


LONG = [ItemRecord(f"item-{row:03d}", f"Tile {row}") for row in range(60)]


def rounds(people: int = 40, steps: int = 8, ring: int = 12) -> list[Happening]:
    """Everybody starts somewhere on a ring of items and goes on by one, now and then: order is all there is."""
    return [
        Happening(f"p{person:03d}", f"item-{(person + step) % ring:03d}", "like", NOW - 3600.0 * (steps - step))
        for person in range(people)
        for step in range(steps)
    ]


def engine_of(trained, material):
    return SASRec("sasrec", trained.artifact("startups"), material.catalogue)


def next_panel(material):
    """Everybody of the ring, each wanting the item after the last."""
    from recommendation_service.datasets.reader import Events

    users = np.arange(len(material.user_ids))
    last = np.array([material.histories.of(int(user)).rows[0] for user in users])
    ones = np.ones(users.size, dtype=np.float32)
    return build_evaluation_users(material, Events(users, (last + 1) % 12, ones, np.full(users.size, NOW + 1.0)))


def test_what_always_comes_next_is_foretold():
    material = material_of(ITEMS, rounds())[0]
    panel = next_panel(material)
    trained = train_sasrec(material, SMALL)
    scores = score_people(engine_of(trained, material), panel)
    lists = metrics.top_k(scores, panel.eligible, 1)
    assert metrics.measure(lists, panel.relevant).recall.mean() == 1


def test_the_serving_engine_scores_as_the_trained_network():
    material = material_of(ITEMS, rounds())[0]
    panel = next_panel(material)
    parameters = replace(SMALL, heads=2, layers=2, epochs=2)
    course = sasrec._plan(material, parameters)
    kept = {}

    def scored(model, *rest):
        kept["scores"] = original(model, *rest)
        return kept["scores"]

    original, sasrec.panel_scores = sasrec.panel_scores, scored
    try:
        trained = train_sasrec(material, replace(parameters, epochs=1), panel=panel)
    finally:
        sasrec.panel_scores = original
    assert course.epochs == 2
    served = score_people(engine_of(trained, material), panel)
    np.testing.assert_allclose(served, kept["scores"], rtol=1e-4, atol=1e-4)


def test_two_runs_give_the_same_bytes():
    early, panel, _ = club_panel()
    parameters = replace(SMALL, short_dropout=0.3, epochs=3)
    first, second = (train_sasrec(early, parameters, panel=panel) for _ in range(2))
    assert {name: array.tobytes() for name, array in first.arrays.items()} == {
        name: array.tobytes() for name, array in second.arrays.items()
    }
    assert first.parameters == second.parameters


def test_the_number_of_cores_changes_nothing(monkeypatch):
    early, panel, _ = club_panel()
    wide = train_sasrec(early, replace(SMALL, epochs=2), panel=panel)
    monkeypatch.setattr(sasrec.os, "cpu_count", lambda: 1)
    narrow = train_sasrec(early, replace(SMALL, epochs=2), panel=panel)
    np.testing.assert_array_equal(wide.arrays["item_vectors"], narrow.arrays["item_vectors"])


def test_a_refit_stops_at_the_epoch_that_was_best():
    early, panel, _ = club_panel()
    told = []
    found = train_sasrec(early, replace(SMALL, patience=2), panel=panel)
    again = train_sasrec(
        early, SASRecParameters(**found.parameters), progress=lambda done, most, word: told.append((done, most))
    )
    assert told[-1] == (found.parameters["best_epochs"],) * 2
    np.testing.assert_array_equal(again.arrays["item_vectors"], found.arrays["item_vectors"])


def test_a_large_log_is_walked_through_fewer_times():
    material = material_of(ITEMS, rounds())[0]
    assert sasrec._plan(material, replace(SMALL, most_targets=700)).epochs == 2
    assert sasrec._plan(material, replace(SMALL, most_targets=1)).epochs == 1


def test_short_pasts_drop_more():
    short, long = material_of(ITEMS, rounds())[0], material_of(LONG, rounds(steps=40, ring=60))[0]
    parameters = replace(SMALL, dropout=0.1, short_dropout=0.4)
    assert sasrec._plan(short, parameters).dropout == 0.4
    assert sasrec._plan(long, parameters).dropout == 0.1


def test_too_few_next_items_are_not_enough():
    with pytest.raises(NotEnough, match="50 items liked after another one; this export has 28"):
        train_sasrec(material_of(ITEMS, rounds(people=4))[0], SMALL)


def test_heads_must_divide_the_dimension():
    with pytest.raises(ValueError, match="3 heads"):
        train_sasrec(material_of(ITEMS, rounds())[0], replace(SMALL, heads=3))


def test_what_is_published_passes_the_check_of_artifacts():
    trained = train_sasrec(material_of(ITEMS, rounds())[0], replace(SMALL, epochs=1))
    check("sasrec", trained.arrays, where="sasrec_v1")


def test_items_nobody_liked_are_all_zeros_and_not_known():
    quiet = [*ITEMS, ItemRecord("item-900", "Quiet")]
    material = material_of(quiet, rounds())[0]
    trained = train_sasrec(material, replace(SMALL, epochs=1))
    row = material.catalogue.ids.row("item-900")
    assert trained.arrays["item_counts"][row] == 0
    assert not trained.arrays["item_vectors"][row].any()


def test_the_loss_in_pieces_and_its_gradients_are_torchs_own():
    torch.manual_seed(0)
    states, vectors, bias = (torch.randn(size, requires_grad=True) for size in ((700, 5), (9, 5), (9,)))
    wanted = torch.randint(0, 9, (700,))
    ours = next_item_loss(states, vectors, bias, wanted)
    theirs = torch.nn.functional.cross_entropy(states @ vectors.T + bias, wanted, reduction="sum")
    torch.testing.assert_close(ours, theirs)
    leaves = [states, vectors, bias]
    for one, other in zip(torch.autograd.grad(2 * ours, leaves), torch.autograd.grad(2 * theirs, leaves), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_no_state_knows_what_comes_after_it():
    torch.manual_seed(0)
    model = Transformer(9, replace(SMALL, heads=2, layers=2))
    one, other = torch.tensor([[1, 2, 3, 4]]), torch.tensor([[1, 2, 7, 8]])
    with torch.no_grad():
        torch.testing.assert_close(model(one)[:, :2], model(other)[:, :2])


def test_training_on_a_sampled_catalogue_still_finds_the_order(monkeypatch):
    monkeypatch.setattr(sasrec, "WHOLE_CATALOGUE", 5)
    monkeypatch.setattr(sasrec, "SAMPLED_ITEMS", 8)
    material = material_of(ITEMS, rounds())[0]
    panel = next_panel(material)
    trained = train_sasrec(material, SMALL)
    lists = metrics.top_k(score_people(engine_of(trained, material), panel), panel.eligible, 1)
    assert metrics.measure(lists, panel.relevant).recall.mean() > 0.9


def test_the_learning_rate_rises_then_falls_to_almost_nothing():
    rates = [rate_at(done) for done in np.linspace(0, 1, 101)]
    assert max(rates) == pytest.approx(1, abs=0.01)
    assert rates[0] < 0.1
    assert rates[-1] < 0.05
    assert np.argmax(rates) == 5
