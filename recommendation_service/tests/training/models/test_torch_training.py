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


def people_scores(means, noise):
    """(p,) scores of 400 people for each epoch; the noise of a person differs from epoch to epoch by `noise`."""
    rng = np.random.default_rng(0)
    return [mean + noise * rng.standard_normal(400) for mean in means]


def run_on(scores, *, patience, scheduled=False):
    state = [0]

    def train_epoch(epoch):
        state[0] = epoch
        return ""

    return train_epochs(
        len(scores),
        train_epoch,
        lambda: state[0],
        validate=lambda epoch: (scores[epoch - 1], ""),
        patience=patience,
        scheduled=scheduled,
    )


def test_a_fall_that_is_only_noise_does_not_end_training():
    means = [0.10, 0.099, 0.098, 0.099, 0.12]
    assert run_on([*people_scores(means, 0.5)[:4], np.full(400, 9.0)], patience=2) == (5, 5)
    certain = [np.full(400, mean) + 0.001 * np.arange(400) % 2 for mean in means]
    assert run_on(certain, patience=2) == (1, 1)


def test_training_ends_in_noise_too():
    scores = [np.zeros(400) + (0.1 if epoch == 0 else 0.0) * (np.arange(400) == 0) for epoch in range(30)]
    ran = []
    train_epochs(
        30, lambda epoch: ran.append(epoch) or "", lambda: len(ran), validate=lambda n: (scores[n - 1], ""), patience=3
    )
    assert len(ran) == 10


def test_a_schedule_ends_with_its_last_epoch_unless_an_earlier_one_is_surely_better():
    noise = people_scores([0.1] * 6, 0.5)
    assert run_on(noise, patience=6, scheduled=True) == (6, 6)
    fallen = [np.full(400, 0.9), *(np.full(400, 0.1) + 0.01 * (np.arange(400) % 2) for _ in range(3))]
    assert run_on(fallen, patience=9, scheduled=True) == (1, 1)
