"""Next item: what usually follows what somebody did last. A new click counts in the very next answer."""

from typing import ClassVar

import numpy as np

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.engines.alignment import Alignment, Taste, array
from recommendation_service.engines.item_to_item import ItemSums, Table
from recommendation_service.publishing.store import Artifact

MOST_WINDOWS = 2


class NextItem(ItemSums):
    """Fading windows over the newest items, each with rows of its own in the table."""

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
        """The engine of one published model of kind "next_item". Raises ArtifactRefused naming what does not fit."""
        names = [f"window_{number}" for number in range(MOST_WINDOWS) if f"window_{number}" in artifact.arrays]
        windows = tuple(array(artifact, one, (None,)) for one in names or ["window_0"])
        return cls(
            name, artifact.version, catalogue, Alignment.of(artifact, catalogue), Table.of(artifact, len(windows)), windows
        )

    def weighed(self, taste: Taste, own: Ints) -> tuple[Ints, Floats, Ints]:
        """Each window's newest items with its weights. A subject has no order: all of its items count as the newest."""
        n = self._table.known.size
        if taste.from_subject:
            blocks = range(len(self._windows))
            weights = [np.full(own.size, window[0], dtype=np.float32) for window in self._windows]
            return (
                np.concatenate([own + block * n for block in blocks]),
                np.concatenate(weights),
                np.tile(np.arange(own.size), len(self._windows)),
            )
        newest = [own[: window.size] + block * n for block, window in enumerate(self._windows)]
        weights = [window[: own.size] for window in self._windows]
        places = [np.arange(rows.size) for rows in newest]
        return np.concatenate(newest), np.concatenate(weights).astype(np.float32), np.concatenate(places)
