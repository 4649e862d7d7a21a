"""Reads a two-tower configuration such as configs/two_tower.yaml: strictly, with every wrong key named."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recommendation_service.errors import ConfigurationError


class TowerConfig(BaseModel):
    """The words of the file. What it leaves out stays as the use-case file, or the program, says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    embedding_dim: int | None = Field(None, ge=2, le=1024)
    hidden_dims: tuple[int, ...] | None = Field(None, min_length=1, max_length=1)  # the tower has one hidden layer
    epochs: int | None = Field(None, ge=1)
    batch_size: int | None = Field(None, ge=1)
    learning_rate: float | None = Field(None, gt=0)
    event_types: tuple[str, ...] | None = None
    min_interactions_per_user: int | None = Field(None, ge=0)

    def training(self) -> dict[str, Any]:
        """The same in the words of TwoTowerParameters; None where the file says nothing."""
        return {
            "dimension": self.embedding_dim,
            "hidden": self.hidden_dims[0] if self.hidden_dims else None,
            "epochs": self.epochs,
            "batch": self.batch_size,
            "learning_rate": self.learning_rate,
            "event_types": list(self.event_types) if self.event_types else None,
            "min_interactions": self.min_interactions_per_user,
        }


def read_config(path: Path) -> TowerConfig:
    """The configuration in a YAML file. Raises ConfigurationError naming file, key and the keys there are."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path.name}: cannot be read ({error})") from error
    if not isinstance(raw, dict):
        raise ConfigurationError(f"{path.name}: must hold keys such as 'epochs: 60', not {type(raw).__name__}")
    try:
        return TowerConfig.model_validate(raw)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(step) for step in problem["loc"])
        known = ", ".join(TowerConfig.model_fields)
        raise ConfigurationError(f"{path.name}: {key}: {problem['msg']}; its keys are {known}") from error
