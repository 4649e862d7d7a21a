"""Sizes and settings of the models that take long to import, in a module that imports neither torch nor LightGBM."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from math import inf
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recommendation_service.errors import ConfigurationError
from recommendation_service.kinds import KINDS
from recommendation_service.training.setting import Setting, settings_of
from recommendation_service.use_cases.options import check_keys
from recommendation_service.use_cases.schema import Feature, UseCase

RATING, HIRED = TARGETS = ("rating", "hired")
MOST_LABEL = 40
Parameters = TypeVar("Parameters")
Ranges = Mapping[str, tuple[float, float]]  # parameter -> smallest and largest value


@dataclass(frozen=True, slots=True)
class TwoTowerParameters:
    """Sizes and training settings of the two-tower model. The user tower reads the `recent` newest liked items.

    With `ahead` 0 the tower learns taste: a part of each history is hidden, and items of that part are predicted. With
    `ahead` 1 or more it learns order: each history is cut at about `cuts` positions per epoch, and the next `ahead` items
    after the cut are predicted. Without `in_order`, the hidden part is a random part of the history, for logs whose order
    has little meaning. Which of these is best differs from site to site.
    """

    dimension: Annotated[int, Setting("length of the vectors; the hidden layer has twice as many units", least=1)] = 64
    hidden: int = 128
    recent: int = 30
    decay: float = 0.9  # weight of a liked item relative to the next newer one
    temperature: Annotated[float, Setting("of the softmax: smaller values separate items more", above=True)] = 0.1
    epochs: Annotated[int, Setting("most passes over the data; validation stops earlier", least=1)] = 60
    patience: int = 6
    batch: Annotated[int, Setting("users per step", least=1, option="batch_size")] = 256
    targets: int = 16  # items to predict per cut, drawn with replacement
    ahead: int = 0
    in_order: bool = True  # without `ahead` only
    cuts: int = 4  # with `ahead` only
    counted_start: bool = False  # start from vectors counted from which item follows which; else from random ones
    learning_rate: Annotated[float, Setting("step size of Adam", above=True)] = 3e-3
    weight_decay: float = 0.0
    hide_least: float = 0.1
    hide_most: float = 0.6
    blind: float = 0.1  # share of the samples without the history, so that a profile alone is enough
    plain: float = 0.1  # share of the samples without the profile, so that a history alone is enough
    user_feature_dim: int = 0  # length of the vector of a profile value before it is projected; 0: no projection
    item_feature_dim: int = 0  # the same for item features
    event_types: tuple[str, ...] = ()  # events to learn from; empty: all
    min_interactions: int = 0  # users with fewer liked items are left out of training
    seed: int = 42

    @staticmethod
    def implied(given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings that follow from those on a command line."""
        return {"hidden": 2 * given["dimension"]} if "dimension" in given else {}


@dataclass(frozen=True, slots=True)
class SASRecParameters:
    """Sizes and training settings of the sequence transformer. `recent` is the number of newest liked items that are read.

    The learning rate warms up and then decays over `epochs`. On a large log there are fewer epochs, so that at most
    `most_targets` targets are seen. `best_epochs` is the number to train, chosen on validation (0: all `epochs`). A step has
    about `batch` targets; smaller steps, as on a small site, use a lower learning rate. Where users have few liked items,
    `short_dropout` replaces `dropout`, because the model would otherwise memorise the histories.
    """

    dimension: Annotated[int, Setting("length of an item vector", least=1)] = 64
    heads: int = 1
    layers: Annotated[int, Setting("attention blocks", least=1)] = 2
    recent: Annotated[int, Setting("newest liked items that are read", least=1)] = 200
    dropout: Annotated[float, Setting("share of values that are dropped during training", most=0.99)] = 0.1
    short_dropout: Annotated[float, Setting("the same where users have fewer than 30 liked items on average", most=0.99)] = 0.4
    learning_rate: Annotated[float, Setting("largest step size, after the warm-up", above=True)] = 6e-3
    batch: int = 4_800
    epochs: Annotated[int, Setting("passes over the data", least=1)] = 10
    most_targets: Annotated[int, Setting("most next items that are seen, to bound the time", least=1)] = 5_000_000
    patience: int = 4
    best_epochs: int = 0
    seed: int = 42


@dataclass(frozen=True, slots=True)
class MarginParameters:
    """Sizes and training settings of matrix factorisation with a margin ranking loss.

    `emb_dim` is the length of item and user vectors, `content_dim` that of the content embeddings projected into them.
    `recent` is the number of newest liked items that describe a user. With `negatives` 1 and `popularity_power` 0, it
    samples as the basic model does: one negative item, all with the same probability.
    """

    emb_dim: Annotated[int, Setting("length of user and item vectors", least=1)] = 32
    content_dim: Annotated[int, Setting("length of the content embeddings", least=1)] = 16
    recent: int = 50
    epochs: Annotated[int, Setting("most passes over the data; validation stops earlier", least=1)] = 40
    patience: int = 4
    batch: Annotated[int, Setting("likes per step", least=1)] = 512
    margin: Annotated[float, Setting("score difference that a liked item should have", above=True)] = 1.0
    negatives: Annotated[int, Setting("items drawn per liked item; the one with the highest score is used", least=1)] = 8
    popularity_power: Annotated[float, Setting("items are drawn by popularity to this power; 0: uniformly")] = 0.0
    words: int = 1_000  # words of the texts that count as content features, the most common first; 0: none
    learning_rate: Annotated[float, Setting("step size of Adam", above=True)] = 0.003
    weight_decay: float = 1e-5
    alone: float = 0.5  # share of the samples without the user's own vector, so that a history alone is enough
    seed: int = 42


@dataclass(frozen=True, slots=True)
class NeuralParameters:
    """Settings of the neural pair model, and what it learns to predict.

    Target "rating" predicts the rating of a review, 0 to 1, from pairs with a review. "hired" predicts which bidder of a job
    is chosen, from all bids of decided jobs: 0.5 is an average bidder, and score / (1 - score) are the odds.
    """

    RANGES: ClassVar[Ranges] = {
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

    target: Annotated[str, Setting("rating, or hired", choices=TARGETS)] = RATING
    epochs: Annotated[int, Setting("most passes over the data; validation stops earlier")] = 50
    batch: Annotated[int, Setting("most pairs per step", option="batch_size")] = 256
    learning_rate: Annotated[float, Setting("step size of Adam")] = 0.001
    valid_share: Annotated[float, Setting("share of the jobs for early stopping", option="val_split")] = 0.2
    patience: int = 5  # epochs without a better validation loss, after which training stops
    dimension: int = 64  # length of a person's vector
    token_dimension: int = 8  # length of the vector of a text, such as a property type
    weight_decay: float = 1e-4
    dropout: float = 0.1
    seldom: int = 3  # persons with fewer training pairs share one vector
    unnamed: float = 0.1  # share of persons that get the shared vector in training, so that it fits any person
    halves: float = 0.5  # weight of the loss of each half alone, so that each half is a score, not a correction of the other
    without_bid: float = 0.5  # share of the training jobs whose bids are hidden, as for an open job
    verdict_weight: float = 0.25  # of a verdict on a recommendation, relative to a review or a decision
    label: Annotated[str, Setting("a name for this version, stored with its number", option="model_version")] = ""
    seed: int = 42


@dataclass(frozen=True, slots=True)
class BidParameters:
    """Inputs and training settings of the bid model.

    Amounts are learned per unit of `per`, as logarithms, so 10 % more is the same step for small and large jobs. `share` of
    the winning bids should lie between minimum and maximum, and the rest in equal parts below and above.
    """

    features: tuple[Feature, ...] = ()
    per: str = "hours"
    share: float = 0.8
    embedding: int = 4  # length of the vector of a text, such as a property type
    hidden: int = 32
    epochs: int = 150
    patience: int = 15
    batch: int = 256
    learning_rate: float = 0.005
    weight_decay: float = 1e-4
    mask_share: float = 0.05  # share of inputs hidden during training, so that the network works without them
    seed: int = 42

    @property
    def quantiles(self) -> tuple[float, float, float]:
        """Quantile levels of minimum, optimal and maximum."""
        tail = (1 - self.share) / 2
        return tail, 0.5, 1 - tail

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values, for a manifest."""
        plain = {**asdict(replace(self, features=())), "features": [feature.model_dump() for feature in self.features]}
        return dict(sorted(plain.items()))


@dataclass(frozen=True, slots=True)
class RankerParameters:
    """Settings of the learned ranker. They are not searched: with few lists, the best of many trials would be random."""

    RANGES: ClassVar[Ranges] = {
        "trees": (1, inf),
        "leaves": (2, inf),
        "learning_rate": (1e-6, inf),
        "least_in_leaf": (1, inf),
        "seed": (0, inf),
    }

    trees: int = 100
    leaves: int = 8
    learning_rate: float = 0.05
    least_in_leaf: int = 50
    correct_positions: bool = True
    seed: int = 42


def read_parameters(default: Parameters, use_case: UseCase, kind: str, **values: Any) -> Parameters:
    """`default` with the values of `training` that the use-case file sets for this kind; `values` replace those of the file.

    Raises ConfigurationError for an unknown key and for a value that cannot be used.
    """
    where, training = training_of(use_case, kind)
    check_keys(training, (field.name for field in fields(default)), where=where)  # type: ignore[arg-type]  # a dataclass
    for name, value in (training | values).items():
        check_value(f"{where}: {name}", default, name, value)
    for name, (value_type, setting) in settings_of(type(default)).items():
        value = (training | values).get(name, getattr(default, name))
        if problem := setting.problem(value, value_type):
            raise ConfigurationError(f"{where}: {name} {problem}, not {value!r}")
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in (training | values).items()}
    return replace(default, **plain)  # type: ignore[type-var]  # a dataclass


def training_of(use_case: UseCase, kind: str) -> tuple[str, dict[str, Any]]:
    """Where the use-case file has the training parameters of this kind, for messages, and the parameters."""
    role = KINDS[kind].role
    parts = {"engine": use_case.engines, "estimator": use_case.estimators, "ranker": use_case.rankers}[role]
    name, values = next(((name, part.training) for name, part in parts.items() if part.kind == kind), (kind, {}))
    return f"{use_case.name}: {role} '{name}', training", dict(values)


def check_value(what: str, default: Any, name: str, value: object) -> None:
    """Raise ConfigurationError, starting with `what`, if the parameter `name` of the class of `default` cannot be `value`."""
    if name == "target" and value not in TARGETS:
        raise ConfigurationError(f"{what} is {value!r}; there are {', '.join(TARGETS)}")
    if name == "label" and not (isinstance(value, str) and len(value) <= MOST_LABEL and value.isprintable()):
        raise ConfigurationError(f"{what} is {value!r}, not a word of at most {MOST_LABEL} characters")
    least, most = getattr(default, "RANGES", {}).get(name, (-inf, inf))
    if (least, most) == (-inf, inf):
        return
    whole = isinstance(getattr(default, name), int)
    fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not fits or not least <= float(str(value)) <= most:
        allowed = f"of at least {least:g}" if most == inf else f"of {least:g} to {most:g}"
        raise ConfigurationError(f"{what} must be a {'whole ' if whole else ''}number {allowed}, not {value!r}")


def neural_parameters(use_case: UseCase, *, seed: int) -> NeuralParameters:
    """The parameters of the use case's neural pair model. Raises ConfigurationError as `read_parameters` does."""
    return read_parameters(NeuralParameters(seed=seed), use_case, "neural")


def bid_parameters(use_case: UseCase, *, seed: int = 42) -> BidParameters:
    """The parameters of the use case's bid model. Raises ConfigurationError as `read_parameters` does, and without features."""
    where, values = training_of(use_case, "bid")
    features = _features(values.get("features", ()), where)
    parameters = read_parameters(BidParameters(seed=seed), use_case, "bid", features=features)
    if not features or not 0 < parameters.share < 1:
        raise ConfigurationError(f"{where} needs features, and a share between 0 and 1")
    return parameters


def _features(rows: Any, where: str) -> tuple[Feature, ...]:
    try:
        for row in rows:
            check_keys(row, Feature.model_fields, where=f"{where}, features")
        return tuple(Feature.model_validate(row) for row in rows)
    except (ValidationError, TypeError) as error:
        raise ConfigurationError(f'{where}: features are rows such as {{ name = "hours", log1p = true }}') from error


class TwoTowerConfig(BaseModel):
    """The keys of a file such as configs/two_tower.yaml, and the parameters that they set."""

    model_config = ConfigDict(extra="forbid")

    dimension: int | None = Field(None, alias="embedding_dim", ge=2, le=1024)
    hidden: tuple[int, ...] | None = Field(None, alias="hidden_dims", min_length=1, max_length=1)  # one hidden layer
    epochs: int | None = Field(None, ge=1)
    batch: int | None = Field(None, alias="batch_size", ge=1)
    learning_rate: float | None = Field(None, gt=0)
    event_types: tuple[str, ...] | None = None
    min_interactions: int | None = Field(None, alias="min_interactions_per_user", ge=0)


def read_two_tower_config(path: Path) -> dict[str, Any]:
    """The two-tower parameters that a YAML file sets. Raises ConfigurationError with the file, the key and the allowed keys."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path.name}: cannot be read ({error})") from error
    if not isinstance(raw, dict):
        raise ConfigurationError(f"{path.name}: must hold keys such as 'epochs: 60', not {type(raw).__name__}")
    try:
        values = TwoTowerConfig.model_validate(raw).model_dump(exclude_none=True)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(step) for step in problem["loc"])
        known = ", ".join(field.alias or name for name, field in TwoTowerConfig.model_fields.items())
        raise ConfigurationError(f"{path.name}: {key}: {problem['msg']}; its keys are {known}") from error
    return values | ({"hidden": values["hidden"][0]} if "hidden" in values else {})
