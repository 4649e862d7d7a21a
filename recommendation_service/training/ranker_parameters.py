"""The stated settings of the learned ranker, apart from LightGBM, which takes a second to import."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RankerParameters:
    """Stated, not searched: few lists need small trees, and what is searched on few lists is found by chance."""

    trees: int = 100
    leaves: int = 8
    learning_rate: float = 0.05
    least_in_leaf: int = 50
    correct_positions: bool = True
    seed: int = 42
