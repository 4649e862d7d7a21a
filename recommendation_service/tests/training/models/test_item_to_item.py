"""How many cores a large system takes, and that the answer is the same."""

import os

import numpy as np
import pytest

from recommendation_service.training.models import item_to_item
from recommendation_service.training.models.item_to_item import free_cores, inverse_of


@pytest.mark.parametrize(
    ("load", "free"),
    [(0.0, 4), (1.2, 4), (2.4, 3), (3.1, 2), (4.0, 1), (15.0, 1)],
    ids=["quiet", "own", "two", "three", "all", "far"],
)
def test_cores_that_others_use_are_left_to_them(monkeypatch: pytest.MonkeyPatch, load: float, free: int) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0), raising=False)
    assert free_cores() == free


def test_a_system_that_tells_no_load_lends_all_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    monkeypatch.delattr(os, "getloadavg", raising=False)
    assert free_cores() == 3


@pytest.mark.parametrize(("rows", "wide"), [(8, False), (40, True)])
def test_only_large_systems_take_the_free_cores(monkeypatch: pytest.MonkeyPatch, rows: int, wide: bool) -> None:
    seen = []

    def limits(number: int, user_api: str) -> object:
        seen.append((number, user_api))
        return wider(number, user_api=user_api)

    wider = item_to_item.threadpool_limits
    monkeypatch.setattr(item_to_item, "threadpool_limits", limits)
    monkeypatch.setattr(item_to_item, "MIN_ROWS_FOR_POOL", 20)
    monkeypatch.setattr(item_to_item, "free_cores", lambda: 2)
    table = np.random.default_rng(0).normal(size=(rows, rows))
    gram = (table @ table.T + rows * np.eye(rows)).astype(np.float32)
    assert np.allclose(inverse_of(gram.copy(order="F")) @ gram, np.eye(rows), atol=1e-3)
    assert seen == [(2 if wide else 1, "blas")]
