"""EASE: what goes with everything somebody likes, whatever its order. Steck (2019)."""

from typing import ClassVar

import numpy as np

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.engines.alignment import Alignment, Taste
from recommendation_service.engines.item_to_item import ItemSums, Table
from recommendation_service.publishing.store import Artifact


class Ease(ItemSums):
    """The sum of the liked items' rows. How much an item was liked does not count, as it did not in training."""

    label: ClassVar[str] = "EASE"

    @classmethod
    def from_artifact(cls, name: str, artifact: Artifact, catalogue: Catalogue) -> "Ease":
        """The engine of one published model of kind "ease". Raises ArtifactRefused naming what does not fit."""
        return cls(name, artifact.version, catalogue, Alignment.of(artifact, catalogue), Table.of(artifact))

    def weighed(self, taste: Taste, own: Ints) -> tuple[Ints, Floats, Ints]:
        """Every item's row once."""
        return own, np.ones(own.size, dtype=np.float32), np.arange(own.size)
