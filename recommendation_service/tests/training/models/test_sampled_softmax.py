import numpy as np

from recommendation_service.training.models.sampled_softmax import softmax_rows


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
