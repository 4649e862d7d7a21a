"""EASE: items that go with all items a user liked, in any order. Steck (2019)."""

from typing import ClassVar

import numpy as np

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.engines.alignment import Alignment, LikedItems
from recommendation_service.engines.item_to_item import ItemSums, Table
from recommendation_service.publishing.store import Artifact


class Ease(ItemSums):
    """The sum of the liked items' rows, without the weights of the likes, as in training."""

    label: ClassVar[str] = "EASE"

    @classmethod
    def from_artifact(cls, name: str, artifact: Artifact, catalogue: Catalogue) -> "Ease":
        """The engine of a published model of kind "ease". Raises ArtifactRefused naming what does not fit."""
        return cls(name, artifact.version, catalogue, Alignment.of(artifact, catalogue), Table.of(artifact))

    def weighted_rows(self, liked: LikedItems, model_rows: Ints) -> tuple[Ints, Floats, Ints]:
        """Every item's row once."""
        return model_rows, np.ones(model_rows.size, dtype=np.float32), np.arange(model_rows.size)
