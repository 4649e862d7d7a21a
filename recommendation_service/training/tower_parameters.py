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
    user_feature_dim: int = 0  # numbers a profile value is learned as; 0: `dimension`, without a step between
    item_feature_dim: int = 0  # the same for item features
    event_types: tuple[str, ...] = ()  # events that are learned from; empty: all
    min_interactions: int = 0  # people with fewer liked items are not learned from
    seed: int = 42
