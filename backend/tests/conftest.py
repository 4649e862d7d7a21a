"""Every test begins with an empty cache, a closed breaker and no remembered ranking."""

import shutil
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import connections, transaction

from tandem import cache as lists
from tandem.event_sync import live
from tandem.selectors.popular import forget_ranking
from tandem.service_client import client, model_state
from tandem.service_client.client import RecommendationClient
from tandem.services import impressions
from tests.support.wheel import build_wheel


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(lists, "_sick_until", 0.0)
    monkeypatch.setattr(live, "_state", live._State())
    monkeypatch.setattr(impressions, "_pause", impressions._Pause())
    for alias in caches:
        caches[alias].clear()
    shutil.rmtree(settings.TANDEM["SPOOL_DIR"], ignore_errors=True)
    forget_ranking()
    client.forget_client()
    model_state.forget_state()
    yield
    client.forget_client()


@pytest.fixture(autouse=True)
def _mirrored_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a test's own transaction, which never commits, event tables are mirrored when the code under test would commit."""
    waiting: list[Callable[[], None]] = []
    leave, original = transaction.Atomic.__exit__, live.after_commit

    def in_test_only(using: str) -> bool:
        blocks = connections[using].atomic_blocks
        return bool(blocks) and blocks[-1]._from_testcase

    def after_commit(work: Callable[[], None], using: str) -> None:
        if in_test_only(using):
            work()
        elif connections[using].in_atomic_block and connections[using].atomic_blocks[0]._from_testcase:
            waiting.append(work)
        else:
            original(work, using)

    def leave_block(self: transaction.Atomic, *error: Any) -> None:
        leave(self, *error)
        if waiting and in_test_only(self.using or "default"):
            work = list(waiting)
            waiting.clear()
            for call in work:
                call()

    monkeypatch.setattr(live, "after_commit", after_commit)
    monkeypatch.setattr(transaction.Atomic, "__exit__", leave_block)


@pytest.fixture
def service_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], RecommendationClient]:
    """Point this process's client at another address."""

    def point(url: str) -> RecommendationClient:
        made = RecommendationClient(url)
        monkeypatch.setattr(client, "_client", lru_cache(lambda *_settings: made))
        return made

    return point


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built once per process."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))
