"""Word lists of the synthetic sites: one TOML file per site beside this module."""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

FOLDER = Path(__file__).parent


class Vocabulary(BaseModel):
    """Base of a site's word lists, and of a table in them."""

    model_config = ConfigDict(extra="forbid", frozen=True)


VocabularyT = TypeVar("VocabularyT", bound=Vocabulary)


def read_vocabulary(site: str, model: type[VocabularyT]) -> VocabularyT:
    """Read `<site>.toml`. Raises ValidationError if it does not match the model."""
    return model.model_validate(tomllib.loads((FOLDER / f"{site}.toml").read_text(encoding="utf-8")))
