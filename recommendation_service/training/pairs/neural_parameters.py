"""Sizes and settings of the neural pair model, apart from it so that reading them does not import torch."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from recommendation_service.errors import ConfigurationError
from recommendation_service.use_cases.options import check_keys
from recommendation_service.use_cases.schema import UseCase

KIND = "neural"
RATING, HIRED = "rating", "hired"
TARGETS = (RATING, HIRED)
MOST_LABEL = 40


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
    token_dimension: int = 8  # of a property type's
    weight_decay: float = 1e-4
    dropout: float = 0.1
    seldom: int = 3  # training pairs below which a person shares the vector of those who were met seldom
    unnamed: float = 0.1  # share of the persons who are taken for seldom met, so that their vector is anybody's
    halves: float = 0.5  # how much each half must foretell by itself, so that a half is a score and not a remainder
    without_bid: float = 0.5  # share of the training jobs whose bids are unknown, as those of an open job are
    verdict_weight: float = 0.25  # of what was said of a recommendation, beside a review or a decision
    label: str = ""  # what the owner calls this version
    seed: int = 42


RANGES: Mapping[str, tuple[float, float]] = {  # least and most, both allowed
    "epochs": (1, 10_000),
    "batch": (1, 1_000_000),
    "learning_rate": (1e-8, 10.0),
    "valid_share": (0.01, 0.9),
    "patience": (1, 10_000),
    "dimension": (1, 4096),
    "token_dimension": (1, 4096),
    "weight_decay": (0, 1),
    "dropout": (0, 0.9),
    "seldom": (1, 10_000),
    "unnamed": (0, 1),
    "halves": (0, 10),
    "without_bid": (0, 1),
    "verdict_weight": (0, 10),
    "seed": (0, 2**31),
}


def neural_parameters(use_case: UseCase, *, seed: int) -> NeuralParameters:
    """As the use-case file says under `training` of its engine of this kind.

    Raises ConfigurationError for a word that is not known and for a value that trains nothing.
    """
    engine = use_case.engine_of_kind(KIND)
    name, values = (engine[0], dict(engine[1].training)) if engine else (KIND, {})
    context = f"{use_case.name}: engine '{name}', training"
    check_keys(values, (field.name for field in fields(NeuralParameters)), where=context)
    for name, value in values.items():
        check_value(f"{context}: {name}", name, value)
    return replace(NeuralParameters(seed=seed), **values)


def check_value(what: str, name: str, value: object) -> None:
    """Raise ConfigurationError, beginning with `what`, when the parameter `word` cannot have that value."""
    if name == "target" and value not in TARGETS:
        raise ConfigurationError(f"{what} is {value!r}; there are {', '.join(TARGETS)}")
    if name == "label" and not (isinstance(value, str) and len(value) <= MOST_LABEL and value.isprintable()):
        raise ConfigurationError(f"{what} is {value!r}, not a word of at most {MOST_LABEL} characters")
    if name not in RANGES:
        return
    least, most = RANGES[name]
    whole = isinstance(getattr(NeuralParameters(), name), int)
    fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not fits or not least <= float(str(value)) <= most:
        raise ConfigurationError(f"{what} must be a {'whole ' if whole else ''}number of {least:g} to {most:g}, not {value!r}")
