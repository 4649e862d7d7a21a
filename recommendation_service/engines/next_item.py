"""Next item: what usually follows a user's newest items. A new click counts in the next answer."""

from typing import ClassVar

import numpy as np

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.engines.alignment import Alignment, LikedItems, array
from recommendation_service.engines.item_to_item import ItemSums, Table
from recommendation_service.publishing.store import Artifact

MAX_WINDOWS = 2


class NextItem(ItemSums):
    """Windows of fading weight over the newest items, each with a block of the table."""

    label: ClassVar[str] = "next item"

    def __init__(
        self,
        name: str,
        version: str,
        catalogue: Catalogue,
        alignment: Alignment,
        table: Table,
        windows: tuple[Floats, ...],
    ) -> None:
        """`windows` are the weights of the newest item, the one before it, and so on; one block of the table each."""
        super().__init__(name, version, catalogue, alignment, table)
        self._windows = windows

    @classmethod
    def from_artifact(cls, name: str, artifact: Artifact, catalogue: Catalogue) -> "NextItem":
        """The engine of a published model of kind "next_item". Raises ArtifactRefused naming what does not fit."""
        stored = [f"window_{number}" for number in range(MAX_WINDOWS) if f"window_{number}" in artifact.arrays]
        windows = tuple(array(artifact, window, (None,)) for window in stored or ["window_0"])
        table = Table.of(artifact, len(windows))
        return cls(name, artifact.version, catalogue, Alignment.of(artifact, catalogue), table, windows)

    def weighted_rows(self, liked: LikedItems, model_rows: Ints) -> tuple[Ints, Floats, Ints]:
        """Each window's newest items with its weights. The items of a subject have no order: all count as the newest."""
        n, windows = self._table.known.size, self._windows
        sizes = [model_rows.size if liked.from_subject else min(model_rows.size, window.size) for window in windows]
        weights = [
            np.full(size, window[0]) if liked.from_subject else window[:size]
            for window, size in zip(windows, sizes, strict=True)
        ]
        return (
            np.concatenate([model_rows[:size] + block * n for block, size in enumerate(sizes)]),
            np.concatenate(weights).astype(np.float32),
            np.concatenate([np.arange(size) for size in sizes]),
        )
