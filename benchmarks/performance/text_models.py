"""Texts: texts per second for vectors, and the time of a cross-encoder for twenty pairs.

The ready-made models have the shape of MiniLM-L6 (6 layers of 384, a vocabulary of 30,522) and random weights: what they
cost does not depend on what they know. Everything runs on one thread.
"""

import os
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from benchmarks.performance.serving import free_port, served
from recommendation_service.core.threads import VARIABLES
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.rankers.cross_encoder import client_of
from recommendation_service.tests.support.materials import material_of
from recommendation_service.tests.support.service import KEY
from recommendation_service.training.models.embedding import EmbeddingParameters, text_of, train_embedding
from recommendation_service.training.models.sentence_models import open_embedder

PAIRS, ROUNDS, BATCH = 20, 30, 50
MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
VOCABULARY = 30_522
BUDGETS_MS = (150, 200, 400)


def products(count: int, *, words_each: int = 30, seed: int = 0) -> list[ItemRecord]:
    """Synthetic products with a realistic distribution of words."""
    rng = np.random.default_rng(seed)
    word_ids = rng.zipf(1.3, (count, words_each)) % 4_000
    return [
        ItemRecord(
            f"p{row:06d}", f"thing{row % 97} kind{row % 31}", " ".join(f"w{word_id}" for word_id in text), f"c{row % 20}"
        )
        for row, text in enumerate(word_ids.tolist())
    ]


def model_folder(folder: Path, *, pairs: bool) -> Path:
    """A folder of MiniLM-L6's shape: for sentences, or for pairs."""
    import torch  # only this benchmark needs it
    from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizer

    folder.mkdir(parents=True)
    known = [*MARKS, *(f"w{word_id}" for word_id in range(4_000)), *(f"filler{n}" for n in range(VOCABULARY))][:VOCABULARY]
    (folder / "vocab.txt").write_text("\n".join(known) + "\n", encoding="utf-8")
    shape = BertConfig(
        vocab_size=VOCABULARY, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1_536
    )
    shape.num_labels = 1 if pairs else 2
    torch.manual_seed(0)
    (BertForSequenceClassification if pairs else BertModel)(shape).save_pretrained(folder)
    BertTokenizer(str(folder / "vocab.txt"), model_max_length=256).save_pretrained(folder)
    return folder


def measure(root: Path, *, items: int = 3_000) -> list[tuple[str, str]]:
    """Rows to print."""
    records = products(items)
    begun = time.perf_counter()
    trained = train_embedding(material_of(records, [], {"u": {}})[0], EmbeddingParameters())
    seconds = time.perf_counter() - begun
    shape = "x".join(str(size) for size in trained.arrays["item_vectors"].shape)
    texts = [text_of(record) for record in records]
    model_folder(root / "pairs", pairs=True)
    return [
        (f"TF-IDF and SVD, {items:,} texts", f"{seconds:.1f} s to {shape}, {items / seconds:,.0f} texts/s"),
        (f"MiniLM-L6's shape, batches of {BATCH}", f"{_sentences(root, texts[: 4 * BATCH]):,.0f} texts/s"),
        *_pairs(root, "32 bits"),
        *_pairs(root, "16 bits", "--bfloat16"),
    ]


def _sentences(root: Path, texts: Sequence[str]) -> float:
    import torch  # as above

    torch.set_num_threads(1)
    embed = open_embedder(model_folder(root / "sentences", pairs=False))
    embed(texts[:2])
    begun = time.perf_counter()
    for start in range(0, len(texts), BATCH):
        embed(texts[start : start + BATCH])
    return len(texts) / (time.perf_counter() - begun)


def _pairs(root: Path, name: str, *more: str) -> list[tuple[str, str]]:
    port = free_port()
    command = [sys.executable, "-m", "recommendation_service.cli", "serve-cross-encoder", "--port", str(port), *more]
    overrides = {"CROSS_ENCODER_MODEL": str(root / "pairs"), "RS_SIGNING_KEYS": f"new:{KEY}"}
    environment = {**os.environ, **dict.fromkeys(VARIABLES, "1"), **overrides}
    with served(command, port=port, environment=environment, log=root / "worker.log", ready="/livez") as worker:
        took = [_request_seconds(f"http://127.0.0.1:{port}", number) for number in range(ROUNDS + 1)]
        memory = worker.pss_bytes() / 1024**2
    cold, warm = took[0], np.array(took[1:])
    p50, p95 = 1000 * np.median(warm), 1000 * np.quantile(warm, 0.95)
    in_time = ", ".join(f"{np.count_nonzero(1000 * warm <= limit)} within {limit} ms" for limit in BUDGETS_MS)
    return [
        (f"{PAIRS} pairs, {name}, the first", f"{1000 * cold:.0f} ms"),
        (f"{PAIRS} pairs, {name}, {ROUNDS} later ones", f"p50 {p50:.0f} ms, p95 {p95:.0f} ms; {in_time}"),
        (f"memory of the worker, {name}", f"{memory:.0f} MiB PSS"),
    ]


def _request_seconds(url: str, number: int) -> float:
    """Seconds for twenty pairs: a query of five titles of four words and two categories, and a document with attributes."""
    rng = np.random.default_rng(number)
    query = " ".join(f"w{word_id}" for word_id in rng.integers(0, 4_000, 22))
    pairs = [(query, " ".join(f"w{word_id}" for word_id in rng.integers(0, 4_000, 10))) for _ in range(PAIRS)]
    with closing(client_of(url, ("new", KEY.encode()))) as client:
        begun = time.perf_counter()
        client.scores(pairs, budget_s=30)
        return time.perf_counter() - begun
