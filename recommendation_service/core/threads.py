"""Pins the native thread pools to one thread a process. Import this before numpy, or it comes too late.

A serving process multiplies small matrices: with a pool per library and several workers the threads fight for cores,
and one request costs many times its work.
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
    """Make sure that no native pool has more than one thread; call once numpy is imported.

    A pool that was loaded before this module is narrowed. Raises ConfigurationError naming what stays wide.
    """
    loose = {name: os.environ.get(name, "unset") for name in VARIABLES if os.environ.get(name) != "1"}
    if not loose and _wider(_pools()):
        _narrow()
        loose = _wider(_pools())
    if loose:
        listed = ", ".join(f"{name}={value}" for name, value in sorted(loose.items()))
        raise ConfigurationError(f"native thread pools are not pinned ({listed}); set {', '.join(VARIABLES)} to 1")


def load_faiss() -> Any:
    """The faiss library on one thread, without the log lines of its loader. Raises ImportError where it is missing."""
    logging.getLogger("faiss.loader").setLevel(logging.WARNING)
    import faiss  # heavy and optional: only for those who ask for an index

    faiss.omp_set_num_threads(1)
    return faiss


def _pools() -> list[dict[str, Any]]:
    """What the loaded libraries really use; empty where threadpoolctl is not installed."""
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
