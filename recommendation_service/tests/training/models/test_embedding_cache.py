"""The file of embedded texts: what was embedded once is never embedded again, and a failed run goes on where it was."""

import logging
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendation_service.tests.support.tiny_models import sentence_model
from recommendation_service.tests.training.models.test_embedding import shop
from recommendation_service.training.models.embedding import (
    FILE_NAME,
    EmbeddingParameters,
    embed_resumably,
    text_hash,
    train_embedding,
)

ROOT = Path(__file__).parents[4]
TEXTS = {text_hash(f"text {number}"): f"text {number}" for number in range(12)}


class Counting:
    """An embedder that remembers what it was asked, and may give up after so many texts."""

    def __init__(self, fails_after: int = 10**9) -> None:
        self.asked: list[str] = []
        self.batches: list[int] = []
        self._left = fails_after

    def __call__(self, texts):
        if self._left < len(texts):
            raise RuntimeError("out of memory")
        self._left -= len(texts)
        self.asked += texts
        self.batches.append(len(texts))
        lengths = np.array([[len(text), sum(text.encode()) % 97 + 1] for text in texts], dtype=np.float32)
        return lengths / np.linalg.norm(lengths, axis=1, keepdims=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "model"
    made.mkdir()
    (made / "config.json").write_text("{}")
    return made


def run(embedder, folder, keep_in, texts=TEXTS, **words):
    return embed_resumably(texts, folder, keep_in, batch=5, opener=lambda _: embedder, **words)


def test_texts_are_embedded_in_batches_and_progress_is_told(folder, tmp_path):
    steps, embedder = [], Counting()
    found = run(embedder, folder, tmp_path, progress=lambda *step: steps.append(step))
    assert embedder.batches == [5, 5, 2]
    assert [step[:2] for step in steps] == [(5, 12), (10, 12), (12, 12)]
    assert found.keys() == TEXTS.keys()


def test_a_run_that_fails_half_way_goes_on_where_it_was(folder, tmp_path):
    with pytest.raises(RuntimeError, match="out of memory"):
        run(Counting(fails_after=10), folder, tmp_path)
    second = Counting()
    found = run(second, folder, tmp_path)
    assert second.asked == ["text 10", "text 11"]
    whole = run(Counting(), folder, None)
    assert all(np.array_equal(found[key], whole[key]) for key in TEXTS)


def test_an_unchanged_text_is_never_embedded_twice_and_then_no_model_is_opened(folder, tmp_path):
    run(Counting(), folder, tmp_path)

    def refuse(_folder):
        raise AssertionError("there is nothing to embed")

    assert embed_resumably(TEXTS, folder, tmp_path, batch=5, opener=refuse).keys() == TEXTS.keys()


def test_another_model_embeds_anew_and_the_first_ones_work_is_kept(folder, tmp_path):
    run(Counting(), folder, tmp_path)
    (folder / "config.json").write_text('{"changed": 1}')
    other = Counting()
    run(other, folder, tmp_path)
    assert len(other.asked) == 12
    (folder / "config.json").write_text("{}")
    back = Counting()
    run(back, folder, tmp_path)
    assert back.asked == []


def test_texts_that_are_gone_leave_the_file(folder, tmp_path):
    run(Counting(), folder, tmp_path)
    few = dict(list(TEXTS.items())[:3])
    run(Counting(), folder, tmp_path, few)
    again = Counting()
    run(again, folder, tmp_path)
    assert len(again.asked) == 9


def test_a_damaged_file_is_begun_anew_and_said(folder, tmp_path, caplog):
    run(Counting(), folder, tmp_path)
    (tmp_path / FILE_NAME).write_bytes(b"not a database at all" * 400)
    again = Counting()
    with caplog.at_level(logging.WARNING, logger="recommendation_service"):
        assert run(again, folder, tmp_path).keys() == TEXTS.keys()
    assert len(again.asked) == 12
    assert "is damaged" in caplog.text


@settings(max_examples=25, deadline=None)
@given(batch=st.integers(1, 20), fails_after=st.integers(0, 12))
def test_wherever_it_failed_the_end_is_the_same(tmp_path_factory, batch, fails_after):
    place, keep_in = tmp_path_factory.mktemp("model"), tmp_path_factory.mktemp("kept")
    (place / "config.json").write_text("{}")
    first, second = Counting(fails_after), Counting()
    try:
        embed_resumably(TEXTS, place, keep_in, batch=batch, opener=lambda _: first)
    except RuntimeError:
        embed_resumably(TEXTS, place, keep_in, batch=batch, opener=lambda _: second)
    assert sorted(first.asked + second.asked) == sorted(TEXTS.values())


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from recommendation_service.training.models.embedding import embed_resumably
def dies(texts, batches=[]):
    batches.append(texts)
    if len(batches) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return np.ones((len(texts), 1), dtype=np.float32)
texts = {f"{number:064d}": f"text {number}" for number in range(12)}
embed_resumably(texts, Path(sys.argv[1]), Path(sys.argv[2]), batch=5, opener=lambda _: dies)
"""


def test_a_killed_process_loses_the_batch_it_was_at_and_no_other(folder, tmp_path):
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder), str(tmp_path)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    second = Counting()
    run(second, folder, tmp_path, {f"{number:064d}": f"text {number}" for number in range(12)})
    assert second.asked == ["text 10", "text 11"]


def test_a_real_model_trains_through_the_file(tmp_path):
    texts = ["red shoe", "red shoe", "blue hat", ""]
    material = replace(shop(texts), keep_in=tmp_path)
    model = str(sentence_model(tmp_path / "model"))
    trained = train_embedding(material, EmbeddingParameters(model=model))
    found = trained.arrays["item_vectors"]
    assert found.shape == (4, 32)
    np.testing.assert_array_equal(found[0], found[1])
    assert not found[3].any()
    assert (tmp_path / FILE_NAME).is_file()
    short = train_embedding(material, EmbeddingParameters(model=model, dimension=2)).arrays["item_vectors"]
    assert short.shape == (4, 2)
