"""The ranker that reads: its words, and its order with a real worker in a process of its own."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.performance.serving import free_port
from recommendation_service.domain.answer import Skip
from recommendation_service.domain.catalogue import Catalogue, Facet
from recommendation_service.domain.slate import Candidates
from recommendation_service.pipeline.rerank import Rescore
from recommendation_service.rankers.base import CannotAnswer, TooLate
from recommendation_service.rankers.cross_encoder import (
    MAX_LENGTH,
    RECENT,
    CrossEncoder,
    PairClient,
    document_text,
    from_settings,
    query_text,
)
from recommendation_service.settings import load_settings
from recommendation_service.tests.engines import board
from recommendation_service.tests.support.service import KEY
from recommendation_service.tests.support.tiny_models import COLOURS, THINGS, cross_encoder
from tests.support.faults import FaultServer, says, waits

OUR_KEY = ("new", KEY.encode())
Making = Callable[..., PairClient]


@pytest.fixture
def client() -> Iterator[Making]:
    """Makes clients that leave no connection behind."""
    with ExitStack() as made:
        yield lambda url, key=OUR_KEY: made.enter_context(closing(PairClient(url, key)))


def shelf() -> Catalogue:
    """24 things, each of one colour, in two categories and two price ranges."""
    plain = board.catalogue()
    facets = {
        "category": Facet.build([["shoe"] if row % 2 else ["hat"] for row in range(24)]),
        "tags": Facet.build([[f"tag{row % 3}"] if row else [] for row in range(24)]),
        "price_range": Facet.build([["0-20"] if row < 12 else [] for row in range(24)]),
    }
    return replace(plain, titles=tuple(COLOURS[row % 6] for row in range(24)), facets=facets)


def candidates(rows: list[int]) -> Candidates:
    return Candidates(np.array(rows, dtype=np.int64), np.linspace(1, 0, len(rows), dtype=np.float32))


def test_a_document_is_all_that_the_catalogue_knows_of_an_item() -> None:
    assert document_text(shelf(), 1) == "blue. shoe. tag1. price range: 0-20"
    assert document_text(shelf(), 12) == "red. hat. tag0"
    assert document_text(shelf(), 0) == "red. hat. price range: 0-20"


def test_a_query_is_what_was_liked_lately_its_categories_and_the_profile() -> None:
    asked = board.query(shelf(), (0, 1, 6), weights=(1, 2, -1), profile={"taste": ("soft", "warm")})
    assert query_text(asked) == "red, blue. hat, shoe. soft, warm"


def test_a_query_about_an_item_or_a_basket_is_about_nothing_else() -> None:
    assert query_text(board.query(shelf(), (0,), subject=(1, 2))) == "blue, green. shoe, hat"


def test_only_the_latest_few_likes_are_read() -> None:
    long = tuple(range(20))
    assert query_text(board.query(shelf(), long)).startswith(", ".join(COLOURS[:RECENT]) + ". ")
    wordy = replace(shelf(), titles=("word " * 1000,) * 24)
    assert len(query_text(board.query(wordy, (1,)))) == MAX_LENGTH


def test_of_somebody_unknown_nothing_is_asked() -> None:
    ranker = CrossEncoder("cross_encoder", shelf(), PairClient("http://127.0.0.1:1", None))
    assert ranker.scores(board.query(shelf()), candidates([1, 2]), budget_s=1) is None
    assert ranker.scores(board.query(shelf(), (1,), weights=(-1,)), candidates([2]), budget_s=1) is None


def test_without_an_address_there_is_no_ranker_and_a_model_without_one_is_told(tmp_path: Path) -> None:
    assert from_settings("cross_encoder", None, shelf(), load_settings({})) is None
    told = from_settings("cross_encoder", None, shelf(), load_settings({"CROSS_ENCODER_MODEL": str(tmp_path)}))
    assert isinstance(told, Skip)
    assert (told.code, "CROSS_ENCODER_URL is not" in told.detail) == ("unreachable", True)
    made = from_settings("cross_encoder", None, shelf(), load_settings({"CROSS_ENCODER_URL": "http://127.0.0.1:1"}))
    assert isinstance(made, CrossEncoder)


def test_a_slow_worker_costs_the_budget_and_the_list_keeps_its_order(client: Making) -> None:
    with FaultServer(waits(10)) as worker:
        ranker = CrossEncoder("cross_encoder", shelf(), client(worker.url, None))
        stage = Rescore({"cross_encoder": ranker}, by=["cross_encoder"], top=4, budget_ms=100)
        done = stage.run(board.query(shelf(), (0,)), candidates([5, 3, 7, 9, 11]))
    assert done.candidates.rows.tolist() == [5, 3, 7, 9, 11]
    assert [(skip.engine, skip.code) for skip in done.skips] == [("cross_encoder", "timeout")]


def test_a_dead_worker_is_told_and_the_list_keeps_its_order(client: Making) -> None:
    ranker = CrossEncoder("cross_encoder", shelf(), client(f"http://127.0.0.1:{free_port()}", None))
    done = Rescore({"cross_encoder": ranker}, by=["cross_encoder"]).run(board.query(shelf(), (0,)), candidates([5, 3]))
    assert done.candidates.rows.tolist() == [5, 3]
    assert [(skip.engine, skip.code) for skip in done.skips] == [("cross_encoder", "unreachable")]


def test_a_worker_that_lies_is_told(client: Making) -> None:
    with FaultServer(says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")) as worker:
        ranker = CrossEncoder("cross_encoder", shelf(), client(worker.url, None))
        done = Rescore({"cross_encoder": ranker}, by=["cross_encoder"]).run(board.query(shelf(), (0,)), candidates([5, 3]))
    assert [(skip.engine, skip.code) for skip in done.skips] == [("cross_encoder", "failed")]


THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
ENVIRONMENT = {"RS_SIGNING_KEYS": f"new:{KEY}", "PATH": os.environ["PATH"], **dict.fromkeys(THREADS, "1")}
COMMAND = [sys.executable, "-m", "recommendation_service.cli", "serve-cross-encoder", "--port"]
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real worker with a model that knows colours."""
    folder = cross_encoder(tmp_path_factory.mktemp("models") / "colours")
    port = free_port()
    environment = {**ENVIRONMENT, "CROSS_ENCODER_MODEL": str(folder)}
    process = subprocess.Popen([*COMMAND, str(port)], env=environment, cwd=ROOT, stderr=subprocess.PIPE)
    try:
        _wait(f"http://127.0.0.1:{port}/livez")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _wait(url: str) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).close()  # noqa: S310  # the worker this test started
            return
        except OSError:
            assert time.monotonic() < end, "the worker did not start"
            time.sleep(0.2)


def test_a_real_worker_puts_first_what_reads_alike(client: Making, live: str) -> None:
    titles = tuple(f"{COLOURS[row % 6]} {THINGS[row // 6]}" for row in range(24))
    things = replace(board.catalogue(), titles=titles, facets={})
    stage = Rescore({"reader": CrossEncoder("reader", things, client(live))}, by=["reader"], top=20, budget_ms=20_000)
    rows = [row for row in range(1, 24) if row != 6]
    done = stage.run(board.query(things, (6,)), candidates(rows))  # liked: a red hat
    assert (done.by, done.skips) == ("reader", ())
    assert [titles[row] for row in sorted(done.candidates.rows[:2].tolist())] == ["red coat", "red lamp"]
    assert done.candidates.rows[20:].tolist() == rows[20:]
    assert sorted(done.candidates.rows.tolist()) == rows


def test_many_at_once_get_their_own_scores(client: Making, live: str) -> None:
    asks = client(live)

    def ask(place: int) -> bool:
        colour = COLOURS[place % 6]
        found = asks.scores([(f"{colour} shoe", f"{other} lamp") for other in COLOURS], budget_s=30)
        return COLOURS[int(np.argmax(found))] == colour

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(ask, range(24)))


def test_the_worker_lets_in_nobody_without_the_key(client: Making, live: str) -> None:
    with pytest.raises(CannotAnswer, match="same RS_SIGNING_KEYS"):
        client(live, ("new", b"x" * 40)).scores([("a", "b")], budget_s=20)


def test_an_impossible_budget_is_late_with_a_real_worker_too(client: Making, live: str) -> None:
    with pytest.raises(TooLate):
        client(live).scores([("red shoe " * 100, "red hat " * 100)] * 100, budget_s=0.002)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, "CROSS_ENCODER_MODEL is empty"),
        ({"CROSS_ENCODER_MODEL": "cross-encoder/ms-marco-MiniLM-L-6-v2"}, "is not a folder"),
        ({"CROSS_ENCODER_MODEL": ".", "RS_SIGNING_KEYS": ""}, "RS_SIGNING_KEYS is empty"),
    ],
)
def test_a_worker_that_cannot_work_does_not_start_and_says_why(variables: dict[str, str], told: str) -> None:
    command = [*COMMAND, str(free_port())]
    environment = {**ENVIRONMENT, **variables}
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
