"""Sizes and settings of the sequence transformer, apart from it so that reading them does not import torch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SASRecParameters:
    """Sizes and training settings. `recent`: how many of the newest liked items are read.

    The learning rate rises, and falls to nothing over `epochs`; of a large log there are fewer, so that no more than
    `most_targets` next items are looked at in all. `kept_epochs` are trained, all of them where it is 0: how many were
    best is found on validation. A step learns from about `batch` places;
    smaller steps, as on a small site, are at a lower rate. Where people have liked few items each, `short_dropout` of the
    numbers are dropped in place of `dropout`, or pasts would be learned by heart.
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
    kept_epochs: int = 0
    seed: int = 42
