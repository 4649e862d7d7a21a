"""Copies of the published models under fixed file names, for people and other programs.

Serving reads the published versions and never these files. They can be deleted and written again at any time.
"""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from recommendation_service.core.numeric import AnyArray
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing.store import Artifact, ArtifactStore
from recommendation_service.publishing.versions import write_whole

MODEL, EMBEDDINGS, INDEX = "two_tower_model.npz", "item_embeddings.npy", "item_index.faiss"


def write_views(store: ArtifactStore) -> list[Path]:
    """Write every file whose model is published, each in one atomic step, and return their paths.

    `item_embeddings.npy` is (n, d) float32 in the order of the item ids of the model. `item_index.faiss` is a file for
    `faiss.read_index`. Raises ArtifactRefused if no two-tower model is published or one is damaged.
    """
    model = store.load("two_tower")
    if model is None:
        raise ArtifactRefused(f"{store.root.name}: no two-tower model is published; run: python -m app.cli train-two-tower")
    written = [
        _write(store.root / MODEL, _npz(model.arrays)),
        _write(store.root / EMBEDDINGS, _npy(model.arrays["item_vectors"])),
    ]
    index = store.load("two_tower_index")
    if index is not None and _of_this(index, model):
        written.append(_write(store.root / INDEX, np.asarray(index.arrays["index"]).tobytes()))
    else:
        (store.root / INDEX).unlink(missing_ok=True)  # an index of other vectors must not lie beside these
    return written


def _of_this(index: Artifact, model: Artifact) -> bool:
    return bool(index.manifest.parameters.get("model_seal") == model.manifest.seal)


def _write(path: Path, body: bytes) -> Path:
    write_whole(path, body)
    return path


def _npy(array: AnyArray) -> bytes:
    body = io.BytesIO()
    np.save(body, array, allow_pickle=False)
    return body.getvalue()


def _npz(arrays: Mapping[str, AnyArray]) -> bytes:
    body = io.BytesIO()
    np.savez(body, allow_pickle=False, **dict(arrays))
    return body.getvalue()
