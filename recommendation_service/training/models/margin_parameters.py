"""Sizes and settings of the margin model, apart from it so that reading them does not import torch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MarginParameters:
    """Sizes and training settings of matrix factorisation with a margin ranking loss.

    `emb_dim` is the length of item and user vectors, `content_dim` that of the content embeddings projected into them.
    `recent` is how many of the newest liked items stand for a person. With `negatives` 1 and `popularity_power` 0 it
    samples as the basic model does: one item, all alike.
    """

    emb_dim: int = 32
    content_dim: int = 16
    recent: int = 50
    epochs: int = 40
    patience: int = 4
    batch: int = 512
    margin: float = 1.0
    negatives: int = 8  # items tried for each liked one; the one that comes nearest to beating it teaches
    popularity_power: float = 0.0  # items are tried in proportion to popularity to this power; 0: all alike
    words: int = 1_000  # words of the texts that count as content features, the most common first; 0: none
    learning_rate: float = 0.003
    weight_decay: float = 1e-5
    alone: float = 0.5  # share of the samples that do without the person's own vector, so that a history alone works
    seed: int = 42
