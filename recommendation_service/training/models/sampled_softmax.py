"""Which items a softmax is over: all of them, or of a large catalogue a sample that stands for the rest."""

import numpy as np

from recommendation_service.core.numeric import Floats, Ints

WHOLE_CATALOGUE = 20_000  # items up to which the softmax is over all of them


def softmax_rows(liked: Ints, wanted: Ints, rng: np.random.Generator, *, whole: int, sampled: int) -> tuple[Ints, Floats]:
    """Rows of the softmax, ascending, and what to add to their logits.

    All of `liked`, itself, where these are at most `whole`; else the wanted ones and a uniform sample of the rest, each
    sampled row standing for 1 / q others like it (log-Q correction: Bengio & Senecal 2008, Yi et al. 2019).
    """
    if liked.size <= whole:
        return liked, np.zeros(liked.size, dtype=np.float32)
    rows = np.union1d(rng.choice(liked, size=sampled, replace=False), wanted)
    stands_for = np.float32(np.log(liked.size / sampled))
    return rows, np.where(np.isin(rows, wanted), np.float32(0), stands_for).astype(np.float32)
