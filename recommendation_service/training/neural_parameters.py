"""Sizes and settings of the neural pair model, apart from it so that reading them does not import torch."""

from dataclasses import dataclass

RATING, HIRED = "rating", "hired"
TARGETS = (RATING, HIRED)


@dataclass(frozen=True, slots=True)
class NeuralParameters:
    """The stated settings, and what it learns to say.

    Target "rating" foretells the mark of the review, 0 to 1, from pairs that were reviewed; "hired" foretells which of a
    job's bidders is chosen, from all bids of decided jobs: 0.5 is an ordinary bidder, and score / (1 - score) are the odds.
    """

    target: str = RATING
    epochs: int = 50
    batch: int = 256
    learning_rate: float = 0.001
    valid_share: float = 0.2  # of the jobs, shuffled: measures, stops the training, slows the learning rate
    patience: int = 5  # epochs without a better validation loss, then the best epoch's network is kept
    dimension: int = 64  # of a person's vector
    word_dimension: int = 8  # of a property type's
    weight_decay: float = 1e-4
    dropout: float = 0.1
    seldom: int = 3  # training pairs below which a person shares the vector of those who were met seldom
    unnamed: float = 0.1  # share of the persons who are taken for seldom met, so that their vector is anybody's
    halves: float = 0.5  # how much each half must foretell by itself, so that a half is a score and not a remainder
    without_bid: float = 0.5  # share of the training jobs whose bids are unknown, as those of an open job are
    verdict_weight: float = 0.25  # of what was said of a recommendation, beside a review or a decision
    label: str = ""  # what the owner calls this version
    seed: int = 42
