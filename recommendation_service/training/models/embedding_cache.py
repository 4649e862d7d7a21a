"""Texts embedded by a ready-made model, kept beside the exports: a run that failed half way goes on where it was."""

import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from recommendation_service.core.numeric import Floats
from recommendation_service.training.models.sentence_models import Embedder, checked_folder, open_embedder, seal_of
from recommendation_service.training.report import Progress

FILE_NAME = "embeddings.sqlite3"
SCHEMA = "CREATE TABLE IF NOT EXISTS vectors (model TEXT, text TEXT, vector BLOB, PRIMARY KEY (model, text)) WITHOUT ROWID"
log = logging.getLogger(__name__)


def embed_resumably(
    texts: Mapping[str, str],
    folder: Path,
    keep_in: Path | None,
    *,
    batch: int,
    progress: Progress | None = None,
    opener: Callable[[Path], Embedder] = open_embedder,
) -> dict[str, Floats]:
    """The unit vector of every text by its hash; `texts` are hash -> text.

    Texts that this very model (every byte of its folder) has embedded before are read from a file in `keep_in`; the
    others are embedded `batch` at a time, each batch kept before the next one begins. The model is opened only when
    there is something to embed. Raises ModelUnusable when it cannot be.
    """
    model = seal_of(checked_folder(folder, "EMBEDDING_MODEL"))
    with _opened(keep_in) as database:
        cached = _read(database, model, texts)
        missing = [key for key in texts if key not in cached]
        for made in _batches(opener(folder), texts, missing, batch) if missing else ():
            _write(database, model, made)
            cached.update(made)
            if progress:
                progress(len(cached), len(texts), "texts")
        _forget_all_but(database, model, texts)
    return cached


def _batches(embed: Embedder, texts: Mapping[str, str], keys: list[str], size: int) -> Iterator[dict[str, Floats]]:
    for start in range(0, len(keys), size):
        some = keys[start : start + size]
        yield dict(zip(some, embed([texts[key] for key in some]), strict=True))


@contextmanager
def _opened(keep_in: Path | None) -> Iterator[sqlite3.Connection]:
    """The file of kept vectors; one that is damaged is begun anew, since all it holds can be made again."""
    path = ":memory:" if keep_in is None else str(keep_in / FILE_NAME)
    try:
        database = _connection(path)
    except sqlite3.DatabaseError as error:
        log.warning("%s is damaged (%s); texts are embedded again", path, error)
        Path(path).unlink()
        database = _connection(path)
    with closing(database):
        yield database


def _connection(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=30)
    try:
        database.execute(SCHEMA)
        if database.execute("PRAGMA quick_check").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("quick_check found pages that do not fit")
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database


def _read(database: sqlite3.Connection, model: str, texts: Mapping[str, str]) -> dict[str, Floats]:
    rows = database.execute("SELECT text, vector FROM vectors WHERE model = ?", [model])
    return {key: np.frombuffer(raw, dtype="<f4") for key, raw in rows if key in texts}


def _write(database: sqlite3.Connection, model: str, made: Mapping[str, Floats]) -> None:
    rows = [(model, key, vector.astype("<f4").tobytes()) for key, vector in made.items()]
    with database:
        database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)


def _forget_all_but(database: sqlite3.Connection, model: str, texts: Mapping[str, str]) -> None:
    """Texts that are gone go from the file too; those of other models stay, for a site that goes back to one."""
    existing = [key for (key,) in database.execute("SELECT text FROM vectors WHERE model = ?", [model])]
    with database:
        database.executemany(
            "DELETE FROM vectors WHERE model = ? AND text = ?", [(model, key) for key in existing if key not in texts]
        )
