import numpy as np
import pytest
from scipy import sparse

from recommendation_service.datasets.records import ItemRecord
from recommendation_service.engines.content import Content
from recommendation_service.tests.support.materials import club_material, club_panel, material_of
from recommendation_service.training.data import NotEnough
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import score_people
from recommendation_service.training.models.content import ContentParameters, terms_of, train_content

STATED = ContentParameters()


def matrix_of(arrays):
    shape = (arrays["item_ids"].size, arrays["terms"].size)
    return sparse.csr_array((arrays["values"], arrays["indices"], arrays["indptr"]), shape=shape)


def test_rows_have_unit_length_and_terms_ascend_by_bytes():
    arrays = train_content(club_material()[0], STATED).arrays
    table = matrix_of(arrays)
    assert np.allclose(np.sqrt(table.multiply(table).sum(axis=1)), 1, atol=1e-5)
    assert (arrays["terms"][1:] > arrays["terms"][:-1]).all()
    assert [arrays[name].dtype.str for name in ("indptr", "indices", "values")] == ["<i8", "<i4", "<f4"]


def test_an_item_without_words_has_an_empty_row():
    material, _ = material_of([ItemRecord("a", "Cats", "cats dogs"), ItemRecord("b", "")], [], {"u": {}})
    assert np.diff(train_content(material, STATED).arrays["indptr"]).tolist() == [2, 0]


def test_terms_are_words_and_features_casefolded_without_stop_words():
    record = ItemRecord("a", "The Python Shop", "a shop", "Sector A", ("Go",), None, {"stage": ("Seed",)})
    assert list(terms_of(record)) == ["python", "shop", "shop", "category=sector a", "stage=seed", "tags=go"]


def test_features_count_as_often_as_they_are_told_to():
    assert list(terms_of(ItemRecord("a", "", tags=("x",)), 3)) == ["tags=x"] * 3


def test_nothing_to_say_about_any_item_is_said():
    material, _ = material_of([ItemRecord("a", ""), ItemRecord("b", "the")], [], {"u": {}})
    with pytest.raises(NotEnough, match="content needs items with text"):
        train_content(material, STATED)


def test_the_serving_engine_gives_people_their_own_club():
    early, panel, _ = club_panel()
    engine = Content("content_based", train_content(early, STATED).artifact("startups"), early.catalogue)
    lists = metrics.top_k(score_people(engine, panel), panel.eligible, 3)
    assert (lists % 2 == (panel.users % 2)[:, None]).all()


def test_two_runs_give_the_same_bytes():
    material, _ = club_material()
    first, second = (train_content(material, STATED).arrays for _ in range(2))
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)
