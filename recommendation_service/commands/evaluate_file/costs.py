"""The cost of an answer: the time to score one user at a time with the serving engine, on one thread."""

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
    """Return the median time of one request in milliseconds, by name of the model.

    `scores` maps each name to the function that scores one user of the panel. Every user is scored by all models before
    the next user, so that other load on the machine affects all models alike.
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
    """Return a text with the number of threads for one request, and the largest number for training."""
    return {"request": 1, "fit_at_most": FITTING}


def peak_megabytes() -> float:
    """Return the largest resident memory of this process so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
