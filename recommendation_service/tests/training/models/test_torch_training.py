import numpy as np

from recommendation_service.training.models.torch_training import softmax_rows, train_epochs


def test_a_large_catalogue_is_sampled_and_every_sampled_row_stands_for_others():
    rows, added = softmax_rows(np.arange(100), np.array([7, 7, 90]), np.random.default_rng(0), whole=10, sampled=25)
    assert {7, 90} <= set(rows.tolist())
    assert (added[np.isin(rows, [7, 90])] == 0).all()
    np.testing.assert_allclose(added[~np.isin(rows, [7, 90])], np.log(4), rtol=1e-6)


def test_a_small_catalogue_is_there_as_a_whole():
    liked = np.array([2, 5, 9])
    rows, added = softmax_rows(liked, np.array([5]), np.random.default_rng(0), whole=3, sampled=1)
    assert rows is liked
    assert not added.any()


def run(scores, *, patience=2, progress=None):
    """Train with these validation scores, one per epoch; the state is the number of the epoch."""
    state = [0]

    def train_epoch(epoch):
        state[0] = epoch
        return f"loss {epoch}"

    def validate(epoch):
        return scores[epoch - 1], f"score {scores[epoch - 1]}"

    epochs = train_epochs(len(scores), train_epoch, lambda: state[0], validate=validate, patience=patience, progress=progress)
    return epochs, state[0]


def test_training_returns_the_best_epoch_and_stops_when_patience_is_over():
    (best, number), last = run([1.0, 3.0, 2.0, 3.0, 9.0])
    assert (best, number) == (2, 2)
    assert last == 4


def test_scores_that_are_no_number_give_the_first_state_and_no_epoch():
    (best, number), last = run([float("nan")] * 5)
    assert (best, number) == (0, 0)
    assert last == 2


def test_without_validation_the_last_epoch_is_used():
    assert train_epochs(3, lambda epoch: "", lambda: "state") == ("state", 3)


def test_every_epoch_reports_its_loss_and_its_score():
    lines = []
    run([1.0, 2.0], progress=lambda done, most, text: lines.append((done, most, text)))
    assert lines == [(1, 2, "loss 1, score 1.0"), (2, 2, "loss 2, score 2.0")]
