"""Limits the native thread pools to one thread per process. Import this module before numpy.

A serving process multiplies small matrices. With a pool per library and several workers, the threads compete for cores, and
a request takes many times longer.
"""

import importlib.util
import logging
import os
from collections.abc import Iterable, Mapping
from typing import Any

from recommendation_service.errors import ConfigurationError

VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def pin() -> None:
    """Set one thread for every native pool that is loaded after this."""
    for name in VARIABLES:
        os.environ[name] = "1"


def check() -> None:
    """Check that no native pool has more than one thread; call this after the import of numpy.

    A pool that was loaded before this module is limited now. Raises ConfigurationError with the pools that are still larger.
    """
    loose = {name: os.environ.get(name, "unset") for name in VARIABLES if os.environ.get(name) != "1"}
    if not loose and _wider(_pools()):
        _narrow()
        loose = _wider(_pools())
    if loose:
        listed = ", ".join(f"{name}={value}" for name, value in sorted(loose.items()))
        raise ConfigurationError(f"native thread pools are not pinned ({listed}); set {', '.join(VARIABLES)} to 1")


def load_faiss() -> Any:
    """Return the faiss library, limited to one thread, without the log lines of its loader. Raises ImportError without it."""
    logging.getLogger("faiss.loader").setLevel(logging.WARNING)
    import faiss  # large and optional: needed for an index only

    faiss.omp_set_num_threads(1)
    return faiss


def _pools() -> list[dict[str, Any]]:
    """Return the pools of the loaded libraries; empty if threadpoolctl is not installed."""
    if importlib.util.find_spec("threadpoolctl") is None:
        return []
    import threadpoolctl  # of the train extra: a slim server runs without it

    pools: list[dict[str, Any]] = threadpoolctl.threadpool_info()
    return pools


def _narrow() -> None:
    import threadpoolctl  # only after _pools found it

    threadpoolctl.threadpool_limits(limits=1)


def _wider(pools: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {str(pool["internal_api"]): str(pool["num_threads"]) for pool in pools if pool["num_threads"] > 1}


pin()
