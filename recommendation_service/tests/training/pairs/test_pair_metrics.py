import numpy as np
import pytest

from recommendation_service.datasets.pair_outcomes import Matches
from recommendation_service.errors import DatasetError
from recommendation_service.training.pairs.pair_metrics import Decided, accuracies, by_time, difference, lines


def matches(jobs, decided=True):
    """Jobs as lists of bidders, True for the one who was hired; posted one second after the other."""
    groups = np.repeat(np.arange(len(jobs)), [len(job) for job in jobs])
    n = groups.size
    return Matches(
        names=("bid",),
        numbers=np.zeros((n, 1), dtype=np.float32),
        text_columns={},
        groups=groups.astype(np.int64),
        times=groups.astype(np.float64),
        ratings=np.full(n, np.nan, dtype=np.float32),
        chosen=np.array([one for job in jobs for one in job], dtype=np.bool_),
        decided=np.full(n, decided),
        verdicts=np.full(n, np.nan, dtype=np.float32),
    )


def everything(made):
    return Decided.of(made, np.ones(len(made), dtype=np.bool_))


THREE = [[False, True, False], [True, False], [False, False, False, True]]


def test_jobs_without_a_choice_without_one_hired_or_not_decided_do_not_count():
    made = everything(matches([*THREE, [True], [False, False], [True, True]]))
    assert len(made) == 3
    assert made.rows.tolist() == list(range(9))
    assert len(everything(matches(THREE, decided=False))) == 0


def test_bids_of_a_job_count_together_wherever_they_stand():
    made = matches(THREE)
    order = np.random.default_rng(0).permutation(len(made))
    scores = np.array([1, 2, 3, 5, 4, 1, 2, 3, 4], dtype=np.float32)
    shuffled = everything(made.take(order))
    np.testing.assert_array_equal(shuffled.hits(scores[order][shuffled.rows], 1), everything(made).hits(scores, 1))
    assert everything(made).hits(scores, 1).tolist() == [0, 1, 1]
    assert everything(made).hits(scores, 2).tolist() == [1, 1, 1]


def test_equal_scores_share_their_places():
    made = everything(matches(THREE))
    assert made.hits(np.zeros(9, dtype=np.float32), 1).tolist() == pytest.approx([1 / 3, 1 / 2, 1 / 4])
    np.testing.assert_allclose(made.hits(np.zeros(9, dtype=np.float32), 3), made.chance(3))
    half = np.array([5, 1, 1, 0, 0, 0, 0, 0, 0], dtype=np.float32)
    assert made.hits(half, 2)[0] == pytest.approx(0.5)


def test_an_unknown_score_stands_last():
    made = everything(matches(THREE))
    scores = np.array([1, np.nan, 3, 5, 4, 1, 2, 3, 4], dtype=np.float32)
    assert made.hits(scores, 2)[0] == 0
    assert made.hits(scores, 3)[0] == 1


def test_a_score_that_knows_beats_lots_and_says_how_surely():
    rng = np.random.default_rng(1)
    jobs = [[place == hired for place in range(5)] for hired in rng.integers(0, 5, 200)]
    made = everything(matches(jobs))
    knows = made.chosen.astype(np.float32)
    rows = {row.name: row for row in accuracies(made, {"knows": knows, "lots": rng.random(1000).astype(np.float32)})}
    assert rows["knows"].top[1] == (1.0, 1.0, 1.0)
    assert rows["random"].top[1][0] == pytest.approx(0.2)
    assert rows["lots"].top[3][1] < 0.6 < rows["lots"].top[3][2]
    mean, low, high = difference(made, knows, -knows, 1)
    assert (mean, low, high) == (1.0, 1.0, 1.0)
    printed = list(lines(list(rows.values())))
    assert len(printed) == 4
    assert "100.0%" in printed[2]


def test_the_newest_share_is_told_by_when_jobs_were_posted():
    made = matches([[True, False]] * 100)
    assert by_time(made, 0.2) == 80.0
    with pytest.raises(DatasetError, match="3 jobs were decided"):
        by_time(matches(THREE), 0.2)
