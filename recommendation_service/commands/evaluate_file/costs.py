"""What an answer costs: one person's scores, asked of the serving engine one at a time, on one thread."""

import os
import resource
import time
from collections.abc import Mapping

import numpy as np
from threadpoolctl import threadpool_limits

from recommendation_service.training.evaluation.evaluator import EvaluationUsers, Scorer

MEASURED_REQUESTS = 50  # people
WARMED = 3  # people asked before, uncounted: the first answers read a model's arrays into memory
FITTING = min(4, os.cpu_count() or 1)  # threads at most while fitting, as training.linear and training.als have it


def requests_ms(scorers: Mapping[str, Scorer], panel: EvaluationUsers) -> dict[str, float]:
    """Median milliseconds of `scores` by name, over all people of a panel.

    The models take turns with each person, so that what else the machine does strikes all of them alike.
    """
    spent = {name: np.zeros(len(panel)) for name in scorers}
    with threadpool_limits(1):
        for place in [*range(min(WARMED, len(panel))), *range(len(panel))]:
            for name, scorer in scorers.items():
                query = panel.query(place)  # a new one each time: an engine keeps what it worked out for the last
                begun = time.perf_counter()
                scorer.scores(query)
                spent[name][place] = 1000 * (time.perf_counter() - begun)
    return {name: float(np.median(own)) for name, own in spent.items()}


def threads_text() -> dict[str, int]:
    """How many threads answer one person, and fit at most."""
    return {"request": 1, "fit_at_most": FITTING}


def peak_megabytes() -> float:
    """The most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
