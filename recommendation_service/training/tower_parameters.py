"""Sizes and settings of the two-tower model, apart from it so that reading them does not import torch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TwoTowerParameters:
    """Sizes and training settings. `recent`, `decay`: which liked items the user tower reads and how they fade."""

    dimension: int = 64
    hidden: int = 128
    recent: int = 30
    decay: float = 0.9
    temperature: float = 0.1
    epochs: int = 60
    patience: int = 6
    batch: int = 256
    targets: int = 16
    learning_rate: float = 3e-3
    weight_decay: float = 0.0
    hide_least: float = 0.1
    hide_most: float = 0.6
    blind: float = 0.1  # share of the samples that see no history, so that a profile alone works
    plain: float = 0.1  # share of the samples that see no profile, so that history alone works
    seed: int = 42
