"""Sizes and settings of the models that take long to import, in a module that imports neither torch nor LightGBM."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recommendation_service.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class TwoTowerParameters:
    """Sizes and training settings of the two-tower model. The user tower reads the `recent` newest liked items.

    With `ahead` 0 the tower learns taste: a part of each history is hidden, and items of that part are predicted. With
    `ahead` 1 or more it learns order: each history is cut at about `cuts` positions per epoch, and the next `ahead` items
    after the cut are predicted. Without `in_order`, the hidden part is a random part of the history, for logs whose order
    has little meaning. Which of these is best differs from site to site.
    """

    dimension: int = 64
    hidden: int = 128
    recent: int = 30
    decay: float = 0.9  # weight of a liked item relative to the next newer one
    temperature: float = 0.1
    epochs: int = 60
    patience: int = 6
    batch: int = 256
    targets: int = 16  # items to predict per cut, drawn with replacement
    ahead: int = 0
    in_order: bool = True  # without `ahead` only
    cuts: int = 4  # with `ahead` only
    counted_start: bool = False  # start from vectors counted from which item follows which; else from random ones
    learning_rate: float = 3e-3
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


@dataclass(frozen=True, slots=True)
class SASRecParameters:
    """Sizes and training settings of the sequence transformer. `recent` is the number of newest liked items that are read.

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


@dataclass(frozen=True, slots=True)
class MarginParameters:
    """Sizes and training settings of matrix factorisation with a margin ranking loss.

    `emb_dim` is the length of item and user vectors, `content_dim` that of the content embeddings projected into them.
    `recent` is the number of newest liked items that describe a user. With `negatives` 1 and `popularity_power` 0, it
    samples as the basic model does: one negative item, all with the same probability.
    """

    emb_dim: int = 32
    content_dim: int = 16
    recent: int = 50
    epochs: int = 40
    patience: int = 4
    batch: int = 512
    margin: float = 1.0
    negatives: int = 8  # negative items drawn per liked item; the one with the highest score is used
    popularity_power: float = 0.0  # negatives are drawn in proportion to popularity to this power; 0: uniformly
    words: int = 1_000  # words of the texts that count as content features, the most common first; 0: none
    learning_rate: float = 0.003
    weight_decay: float = 1e-5
    alone: float = 0.5  # share of the samples without the user's own vector, so that a history alone is enough
    seed: int = 42


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
