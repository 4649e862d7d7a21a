"""Opens sentence-transformers models from local folders, never from a network.

Importing this module is fast; torch is imported when a model is opened.
"""

import os
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from recommendation_service.core.numeric import Floats, unit_rows
from recommendation_service.publishing.versions import sha256_of
from recommendation_service.training.data import ModelUnusable

Pair = tuple[str, str]  # query, document
Embedder = Callable[[Sequence[str]], Floats]  # texts -> (len(texts), d) unit rows
PairScorer = Callable[[Sequence[Pair]], Floats]  # (len(pairs),) scores; higher: the document suits the query better


def open_embedder(folder: Path, *, setting: str = "EMBEDDING_MODEL") -> Embedder:
    """The sentence-transformers model of a folder. Raises ModelUnusable with the `setting` if it cannot be opened."""
    model = _opened("SentenceTransformer", folder, setting)

    def embed(texts: Sequence[str]) -> Floats:
        raw = model.encode(list(texts), batch_size=max(1, len(texts)), show_progress_bar=False, convert_to_numpy=True)
        return unit_rows(np.asarray(raw, dtype=np.float32))

    return embed


def open_cross_encoder(folder: Path, *, bfloat16: bool = False, setting: str = "CROSS_ENCODER_MODEL") -> PairScorer:
    """The cross-encoder of a folder, on one thread. Raises ModelUnusable as `open_embedder` does.

    With `bfloat16` it computes in 16-bit numbers: half the time if the processor supports them, more if it does not.
    """
    import torch  # sentence-transformers imports it anyway

    torch.set_num_threads(1)  # 20 pairs took ten times as long on four threads of a busy machine
    model = _opened("CrossEncoder", folder, setting)
    if bfloat16:
        model.to(torch.bfloat16)

    def score(pairs: Sequence[Pair]) -> Floats:
        raw = model.predict(
            list(pairs), batch_size=max(1, len(pairs)), show_progress_bar=False, activation_fn=torch.nn.Identity()
        )
        return np.asarray(raw, dtype=np.float32).reshape(len(pairs))

    return score


def checked_folder(folder: Path, setting: str) -> Path:
    """Return the folder. Raises ModelUnusable if it cannot contain a model."""
    if not folder.is_dir():
        raise ModelUnusable(
            f"{setting}: {folder} is not a folder; name one that holds a downloaded sentence-transformers model"
        )
    if not any((folder / name).is_file() for name in ("modules.json", "config.json")):
        raise ModelUnusable(f"{setting}: {folder} holds neither modules.json nor config.json, so it is no saved model")
    return folder


def seal_of(folder: Path) -> str:
    """SHA-256 of the names and contents of all files of a folder: it identifies the model."""
    digest = sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()} {sha256_of(path)}\n".encode())
    return digest.hexdigest()


def _opened(kind: str, folder: Path, setting: str) -> Any:
    checked_folder(folder, setting)
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    try:
        import sentence_transformers  # in the extra "rerank"; takes seconds to import
        from safetensors import SafetensorError
    except ImportError as error:
        raise ModelUnusable(f"{setting} needs sentence-transformers; pip install 'tandem-recommendations[rerank]'") from error
    try:
        return getattr(sentence_transformers, kind)(str(folder), local_files_only=True, device="cpu")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        raise ModelUnusable(f"{setting}: {folder} cannot be opened ({type(error).__name__}: {error})") from error
