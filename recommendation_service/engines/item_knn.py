"""Item kNN: the items that the same users chose. Deshpande & Karypis (2004)."""

from typing import ClassVar

import numpy as np

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.engines.alignment import Alignment, LikedItems
from recommendation_service.engines.item_to_item import ItemSums, Table
from recommendation_service.publishing.store import Artifact


class ItemKNN(ItemSums):
    """The sum of the liked items' neighbours: similarity times the weight of the like."""

    label: ClassVar[str] = "item kNN"

    @classmethod
    def from_artifact(cls, name: str, artifact: Artifact, catalogue: Catalogue) -> "ItemKNN":
        """The engine of a published model of kind "item_knn". Raises ArtifactRefused naming what does not fit."""
        return cls(name, artifact.version, catalogue, Alignment.of(artifact, catalogue), Table.of(artifact))

    def weighted_rows(self, liked: LikedItems, own: Ints) -> tuple[Ints, Floats, Ints]:
        """Every item's row once, by the weight of its like: recent and strong choices count more."""
        return own, liked.weights, np.arange(own.size)
