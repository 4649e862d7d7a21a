"""Native thread pools are pinned, or the start is refused."""

import numpy as np
import pytest
import threadpoolctl

from recommendation_service.core import threads
from recommendation_service.errors import ConfigurationError


def test_importing_it_pins_every_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in threads.VARIABLES:
        monkeypatch.setenv(name, "8")
    threads.pin()
    threads.check()


def test_an_unpinned_variable_is_refused_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    with pytest.raises(ConfigurationError, match="OMP_NUM_THREADS=4"):
        threads.check()


def test_a_pool_that_was_loaded_too_early_is_narrowed() -> None:
    assert np.ones(2) @ np.ones(2) == 2  # numpy's own pool is there
    with threadpoolctl.threadpool_limits(limits=2):
        threads.check()
        assert {pool["num_threads"] for pool in threadpoolctl.threadpool_info()} == {1}


def test_a_pool_that_stays_wide_all_the_same_is_refused_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_pools", lambda: [{"internal_api": "openblas", "num_threads": 4}])
    with pytest.raises(ConfigurationError, match="openblas=4"):
        threads.check()
