"""Sizes and settings of the two-tower model, apart from it so that reading them does not import torch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TwoTowerParameters:
    """Sizes and training settings. `recent`, `decay`: which liked items the user tower reads and how they fade.

    With `ahead` 0 the tower learns taste: a stretch of the past is hidden, and any of it is to be foreseen. With `ahead` 1
    or more it learns what comes next: the past is cut at about `cuts` places a person and epoch, and the next `ahead` items
    after the cut are to be foreseen. Without `in_order` what is hidden is any part of the past, for a log whose order
    says little. Where order matters less than taste, and where more, differs from site to site.
    """

    dimension: int = 64
    hidden: int = 128
    recent: int = 30
    decay: float = 0.9
    temperature: float = 0.1
    epochs: int = 60
    patience: int = 6
    batch: int = 256
    targets: int = 16  # drawn of what is to be foreseen, with replacement
    ahead: int = 0
    in_order: bool = True  # without `ahead` only
    cuts: int = 4  # with `ahead` only
    counted_start: bool = False  # begin at vectors counted from what follows what; else by chance
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
