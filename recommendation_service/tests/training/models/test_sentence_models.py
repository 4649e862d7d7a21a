"""Real folders of sentence-transformers, tiny and made on the spot; the network is never asked."""

import os
import socket
from pathlib import Path

import numpy as np
import pytest

from recommendation_service.tests.support.tiny_models import COLOURS, cross_encoder, sentence_model
from recommendation_service.training.data import ModelUnusable
from recommendation_service.training.models.sentence_models import checked_folder, open_cross_encoder, open_embedder, seal_of


@pytest.fixture(scope="module")
def pairs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cross_encoder(tmp_path_factory.mktemp("models") / "cross")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_words: object) -> None:
        raise AssertionError("a model asked for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.usefixtures("no_network")
def test_texts_become_unit_vectors_that_tell_texts_apart(tmp_path: Path) -> None:
    embed = open_embedder(sentence_model(tmp_path / "model"))
    found = embed(["red shoe", "blue hat", "red shoe"])
    assert (found.shape, found.dtype) == ((3, 32), np.float32)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(found[0], found[2], atol=1e-6)
    assert float(found[0] @ found[1]) < 0.999


@pytest.mark.usefixtures("no_network")
def test_a_cross_encoder_orders_pairs_as_it_was_taught(pairs_folder: Path) -> None:
    score = open_cross_encoder(pairs_folder)
    found = score([(f"{asked} shoe", f"{told} lamp") for asked in COLOURS for told in COLOURS]).reshape(6, 6)
    assert (found.argmax(axis=1) == np.arange(6)).all()
    assert np.diag(found).min() > found[~np.eye(6, dtype=np.bool_)].max()


def test_sixteen_bits_put_the_same_pairs_first(pairs_folder: Path) -> None:
    pairs = [(f"{asked} shoe", f"{told} lamp") for asked in COLOURS for told in COLOURS]
    exact, short = (open_cross_encoder(pairs_folder, bfloat16=half)(pairs) for half in (False, True))
    assert (short.reshape(6, 6).argmax(axis=1) == np.arange(6)).all()
    assert not np.array_equal(exact, short)
    np.testing.assert_allclose(exact, short, atol=0.5)


def test_one_pair_has_one_score_whatever_stands_beside_it(pairs_folder: Path) -> None:
    score = open_cross_encoder(pairs_folder)
    alone = score([("red shoe", "red lamp")])
    beside = score([("red shoe", "red lamp"), ("blue hat", "a much longer text of green table and white chair")])
    np.testing.assert_allclose(alone[0], beside[0], atol=1e-4)


def test_a_name_in_place_of_a_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match=r"EMBEDDING_MODEL: sentence-transformers/all-MiniLM-L6-v2 is not a folder"):
        open_embedder(Path("sentence-transformers/all-MiniLM-L6-v2"))
    with pytest.raises(ModelUnusable, match=r"CROSS_ENCODER_MODEL: .*gone is not a folder"):
        open_cross_encoder(tmp_path / "gone")


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match=r"holds neither modules\.json nor config\.json"):
        checked_folder(tmp_path, "EMBEDDING_MODEL")


@pytest.mark.parametrize("broken", ["config.json", "model.safetensors"])
def test_a_broken_folder_is_told_in_one_kind_of_error(tmp_path: Path, broken: str) -> None:
    folder = sentence_model(tmp_path / "model")
    (folder / broken).write_bytes((folder / broken).read_bytes()[:40])
    with pytest.raises(ModelUnusable, match=r"EMBEDDING_MODEL: .* cannot be opened"):
        open_embedder(folder)


def test_the_seal_changes_with_any_byte_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    before = seal_of(folder)
    (folder / "more").mkdir()
    (folder / "more" / "weights").write_text("1")
    between = seal_of(folder)
    (folder / "more" / "weights").write_text("2")
    assert len({before, between, seal_of(folder)}) == 3


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("TEST_EMBEDDING_MODEL"), reason="TEST_EMBEDDING_MODEL names no folder")
def test_a_real_model_knows_what_is_alike() -> None:
    found = open_embedder(Path(os.environ["TEST_EMBEDDING_MODEL"]))(["running shoes", "sneakers for jogging", "garden hose"])
    assert found[0] @ found[1] > found[0] @ found[2]


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("TEST_CROSS_ENCODER_MODEL"), reason="TEST_CROSS_ENCODER_MODEL names no folder")
def test_a_real_cross_encoder_knows_what_answers() -> None:
    score = open_cross_encoder(Path(os.environ["TEST_CROSS_ENCODER_MODEL"]))
    found = score([("shoes for running", "light sneakers for jogging"), ("shoes for running", "green garden hose")])
    assert found[0] > found[1]
