import hashlib

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from recommendation_service.datasets.records import ItemRecord
from recommendation_service.engines.embedding import Embedding
from recommendation_service.errors import ConfigurationError
from recommendation_service.tests.support.materials import club_material, club_panel, material_of
from recommendation_service.training.data import ModelUnusable, NotEnough
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import score_people
from recommendation_service.training.models.content import terms_of
from recommendation_service.training.models.embedding import EmbeddingParameters, text_hash, text_of, train_embedding

STATED = EmbeddingParameters()
LANDS = ["alpine tents", "canvas tents", "alpine boots", "leather boots", "leather belts", "brass lamps", "brass lamps", ""]


def shop(texts=LANDS):
    return material_of([ItemRecord(f"p{row:03d}", "", text) for row, text in enumerate(texts)], [], {"u": {}})[0]


def vectors(texts=LANDS, **words):
    return train_embedding(shop(texts), EmbeddingParameters(**words)).arrays["item_vectors"]


def test_the_text_is_all_that_is_known_of_an_item():
    record = ItemRecord("a", "Trail shoe", "Light and dry.", "Shoes", ("run", "rain"), None, {"price_range": ("50-100",)})
    assert text_of(record) == "Trail shoe. Light and dry. Shoes. run, rain. price range: 50-100"
    assert text_of(ItemRecord("a", "", attributes={"price_range": ()})) == ""


def test_the_hash_is_of_the_text_alone():
    assert text_hash("Trail shoe") == hashlib.sha256(b"Trail shoe").hexdigest()
    arrays = train_embedding(shop(), STATED).arrays
    assert arrays["text_hashes"][5] == arrays["text_hashes"][6] == text_hash("brass lamps").encode()


def test_rows_have_unit_length_and_an_item_without_words_is_zeros():
    lengths = np.linalg.norm(vectors(), axis=1)
    np.testing.assert_allclose(lengths, [1] * 7 + [0], atol=1e-5)


def test_with_room_for_every_direction_cosines_are_those_of_tf_idf():
    records = shop().records
    matrix = TfidfVectorizer(analyzer=lambda one: list(terms_of(one, 2)), sublinear_tf=True).fit_transform(records)
    found = vectors()
    np.testing.assert_allclose(found @ found.T, (matrix @ matrix.T).toarray(), atol=1e-5)


def test_no_more_dimensions_than_the_texts_have_rank():
    assert vectors().shape == (8, 6)  # two of the seven texts are one
    assert vectors(dimension=3).shape == (8, 3)


def test_few_dimensions_keep_what_goes_together():
    found = vectors(dimension=2)
    assert found[0] @ found[1] > found[0] @ found[5]


def test_a_large_catalogue_takes_the_randomised_way_to_the_same_neighbours():
    rng = np.random.default_rng(3)
    words = [f"{a}{b}" for a in "abcdefgh" for b in "stuvwxyz"]
    texts = [" ".join([f"club{row % 5}"] * 3 + rng.choice(words, 4).tolist()) for row in range(200)]
    found = vectors(texts, dimension=8)
    assert found.shape == (200, 8)
    nearest = np.argsort(-(found @ found.T), axis=1)[:, 1:6]
    assert (nearest % 5 == np.arange(200)[:, None] % 5).mean() > 0.9


def test_two_runs_give_the_same_bytes():
    first, second = (train_embedding(club_material()[0], EmbeddingParameters(dimension=2)).arrays for _ in range(2))
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)


def test_the_serving_engine_gives_people_their_own_club():
    early, panel, _ = club_panel()
    engine = Embedding("embedding", train_embedding(early, STATED).artifact("startups"), early.catalogue)
    lists = metrics.top_k(score_people(engine, panel), panel.eligible, 3)
    assert (lists % 2 == (panel.users % 2)[:, None]).all()


@pytest.mark.parametrize(
    ("texts", "told"),
    [(["", ""], "needs items with text"), (["the", "of the"], "stop words only"), (["lamp", "lamp"], "differ in their words")],
)
def test_too_little_to_tell_items_apart_is_said(texts, told):
    with pytest.raises(NotEnough, match=told):
        vectors(texts)


@pytest.mark.parametrize("name", ["dimension", "batch", "facet_repeats", "max_terms"])
@pytest.mark.parametrize("value", [0, -3, 1.5, "many"])
def test_a_number_that_makes_no_sense_is_told_by_name(name, value):
    with pytest.raises(ConfigurationError, match=rf"{name} is .*{value}.*; it must be a whole number from 1 on"):
        EmbeddingParameters(**{name: value})


def test_a_missing_model_folder_names_the_setting():
    with pytest.raises(ModelUnusable, match="EMBEDDING_MODEL: nowhere is not a folder"):
        vectors(model="nowhere")
