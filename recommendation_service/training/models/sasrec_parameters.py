"""Sizes and settings of the sequence transformer, apart from it so that reading them does not import torch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SASRecParameters:
    """Sizes and training settings. `recent` is the number of newest liked items that are read.

    The learning rate warms up and then decays over `epochs`. On a large log there are fewer epochs, so that at most
    `most_targets` targets are seen. `best_epochs` is the number to train, chosen on validation (0: all `epochs`). A step has
    about `batch` targets; smaller steps, as on a small site, use a lower learning rate. Where users have few liked items,
    `short_dropout` replaces `dropout`, because the model would otherwise memorise the histories.
    """

    dimension: int = 64
    heads: int = 1
    layers: int = 2
    recent: int = 200
    dropout: float = 0.1
    short_dropout: float = 0.4
    learning_rate: float = 6e-3
    batch: int = 4_800
    epochs: int = 10
    most_targets: int = 5_000_000
    patience: int = 4
    best_epochs: int = 0
    seed: int = 42
