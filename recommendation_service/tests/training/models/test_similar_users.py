import numpy as np
import pytest
from scipy import sparse

from recommendation_service.datasets.records import ItemRecord
from recommendation_service.engines.similar_users import SimilarUsers
from recommendation_service.publishing.array_schemas import check
from recommendation_service.tests.engines import board
from recommendation_service.tests.support.exports import NOW, Happening
from recommendation_service.tests.support.materials import club_material, club_panel, material_of
from recommendation_service.training.data import NotEnough
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import score_people
from recommendation_service.training.models.similar_users import SimilarUsersParameters, train_similar_users

STATED = SimilarUsersParameters()
ITEMS = [ItemRecord(f"i{row}", f"Item {row}") for row in range(6)]


def likes(**people):
    """Each person's liked items, the newest last."""
    happenings = [
        Happening(person, f"i{row}", "like", NOW - 86_400.0 * (len(own) - step))
        for person, own in people.items()
        for step, row in enumerate(own)
    ]
    return material_of(ITEMS, happenings)[0]


def tastes(made):
    arrays = made.arrays
    shape = (arrays["lengths"].size, arrays["item_ids"].size)
    return sparse.csr_array((arrays["values"], arrays["indices"], arrays["indptr"]), shape=shape).toarray()


def test_rows_are_everybodys_likes_with_unit_length_in_an_order_that_says_nothing():
    material = likes(a=[0, 1], b=[0, 2, 3], c=[4, 5], d=[5])
    found = {tuple(np.flatnonzero(row).tolist()) for row in tastes(train_similar_users(material, STATED))}
    assert found == {(0, 1), (0, 2, 3), (4, 5)}  # d's one item makes no taste
    made = tastes(train_similar_users(club_material()[0], STATED))
    assert np.allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
    orders = [tastes(train_similar_users(club_material()[0], SimilarUsersParameters(seed=seed))) for seed in (1, 2)]
    assert not np.array_equal(*orders)


def test_no_outside_user_id_is_in_any_array():
    made = train_similar_users(club_material()[0], STATED)
    assert set(made.arrays) == set(board.similar_users().arrays)
    assert not any(b"u0" in array.tobytes() for array in made.arrays.values() if array.dtype.kind == "S")
    assert [name for name, array in made.arrays.items() if array.dtype.kind == "S"] == ["item_ids"]


def test_what_everyone_chose_tells_least_and_what_nobody_chose_nothing():
    weights = train_similar_users(likes(a=[0, 1], b=[0, 2], c=[0, 2, 3]), STATED).arrays["item_weights"]
    np.testing.assert_allclose(weights, np.log1p([3 / 3, 3 / 1, 3 / 2, 3 / 1, 0, 0]), rtol=1e-6)


def test_lengths_are_those_of_the_weighed_rows():
    made = train_similar_users(club_material()[0], STATED)
    expected = np.linalg.norm(tastes(made) * made.arrays["item_weights"], axis=1)
    np.testing.assert_allclose(made.arrays["lengths"], expected, rtol=1e-5)


def test_a_popular_item_lists_a_random_few_of_its_people_and_a_rare_one_all():
    people = {f"u{number:02d}": [0, 1 + number % 5] for number in range(40)}
    made = train_similar_users(likes(**people), SimilarUsersParameters(users_per_item=9))
    bounds, users, table = made.arrays["item_indptr"], made.arrays["item_users"], tastes(made)
    assert np.diff(bounds).tolist() == [9, 8, 8, 8, 8, 8]
    for item in range(6):
        own = users[bounds[item] : bounds[item + 1]]
        assert (np.diff(own) > 0).all()
        assert (table[own, item] > 0).all()


def test_a_taste_keeps_its_newest_items_only():
    made = train_similar_users(likes(a=[0, 1, 2, 3], b=[4, 5]), SimilarUsersParameters(items_per_user=2))
    assert {tuple(np.flatnonzero(row).tolist()) for row in tastes(made)} == {(2, 3), (4, 5)}


@pytest.mark.parametrize("people", [{}, {"a": [0, 1, 2]}, {"a": [0, 1], "b": [2]}])
def test_fewer_than_two_tastes_are_too_few(people):
    with pytest.raises(NotEnough, match="two are needed to compare"):
        train_similar_users(likes(**people), STATED)


def test_the_serving_engine_gives_people_their_own_club():
    early, panel, _ = club_panel()
    made = train_similar_users(early, STATED)
    check("similar_users", made.arrays, where="candidate")
    engine = SimilarUsers("similar_users", made.artifact("startups"), early.catalogue)
    lists = metrics.top_k(score_people(engine, panel), panel.eligible, 3)
    assert (lists % 2 == (panel.users % 2)[:, None]).all()


def test_two_runs_give_the_same_bytes():
    material, _ = club_material()
    first, second = (train_similar_users(material, STATED).arrays for _ in range(2))
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)
