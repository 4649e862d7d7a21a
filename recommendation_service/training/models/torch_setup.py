"""How this package runs torch: where, on how many threads, and the same way twice."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

THREADS = 1  # steps are small: on a busy machine a pool of four took two hundred times as long as one thread


def best_device() -> torch.device:
    """The graphics card when there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def deterministic(seed: int) -> Iterator[None]:
    """Seeds torch and pins its threads; what the process had set comes back after.

    On a processor only deterministic algorithms are allowed; on a card equal runs may differ in the last digits.
    """
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.manual_seed(seed)
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(not torch.cuda.is_available())
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(strict)
