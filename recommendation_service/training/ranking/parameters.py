"""Settings of the learned ranker, in a module of their own because LightGBM takes a second to import."""

from collections.abc import Mapping
from dataclasses import dataclass

LEAST: Mapping[str, float] = {"trees": 1, "leaves": 2, "learning_rate": 1e-6, "least_in_leaf": 1, "seed": 0}


@dataclass(frozen=True, slots=True)
class RankerParameters:
    """Default settings. They are not searched: with few lists, the best of many trials would be random."""

    trees: int = 100
    leaves: int = 8
    learning_rate: float = 0.05
    least_in_leaf: int = 50
    correct_positions: bool = True
    seed: int = 42
