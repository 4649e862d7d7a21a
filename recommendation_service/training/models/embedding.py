"""Vectors of items' texts: TF-IDF reduced to few dimensions, or a sentence-transformers model from a folder.

The vectors of a sentence-transformers model are cached in a file next to the exports, so that an interrupted run continues
where it stopped.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD

from recommendation_service.core.numeric import AnyArray, Floats, unit_rows
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.errors import ConfigurationError
from recommendation_service.training.data import NotEnough, Trained, TrainingData
from recommendation_service.training.models.content import tf_idf
from recommendation_service.training.models.sentence_models import Embedder, checked_folder, open_embedder, seal_of
from recommendation_service.training.report import Progress

NO_RANK = 1e-6  # a singular value below this share of the first is only rounding
FAINT = 1e-3  # a shorter row has nothing in the selected directions: what is left is rounding, too
FILE_NAME = "embeddings.sqlite3"
SCHEMA = "CREATE TABLE IF NOT EXISTS vectors (model TEXT, text TEXT, vector BLOB, PRIMARY KEY (model, text)) WITHOUT ROWID"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EmbeddingParameters:
    """`model` is a sentence-transformers folder, embedded in batches of `batch`; empty: TF-IDF and truncated SVD.

    `dimension` is the largest length of a vector. An SVD has no more dimensions than the rank of its texts; longer vectors
    of a sentence-transformers model are reduced by an SVD.
    """

    model: str = ""
    dimension: int = 384
    batch: int = 50
    facet_repeats: int = 2
    max_terms: int = 50_000
    seed: int = 42

    def __post_init__(self) -> None:
        """Raises ConfigurationError for a number below 1, with its name."""
        for name in ("dimension", "batch", "facet_repeats", "max_terms"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ConfigurationError(f"training of an embedding: {name} is {value!r}; it must be a whole number from 1 on")


def train_embedding(material: TrainingData, parameters: EmbeddingParameters, *, progress: Progress | None = None) -> Trained:
    """(n, d) one unit vector per item; zeros for an item without text.

    Raises NotEnough if no item has a text, a category, a tag or an attribute, or if all have the same; ModelUnusable if
    `model` cannot be opened.
    """
    texts = [text_of(record) for record in material.records]
    if not any(texts):
        raise NotEnough("embedding needs items with text, a category or tags; this export has none")
    hashes = [text_hash(text) for text in texts]
    if parameters.model:
        texts_by_hash = {key: text for key, text in zip(hashes, texts, strict=True) if text}
        folder = Path(parameters.model)
        embedded = embed_resumably(texts_by_hash, folder, material.keep_in, batch=parameters.batch, progress=progress)
        zeros = np.zeros_like(next(iter(embedded.values())))
        vectors = np.stack([embedded.get(key, zeros) for key in hashes])
        if vectors.shape[1] > parameters.dimension:
            vectors = _reduced(vectors, parameters)
    else:
        matrix, terms = tf_idf(material.records, parameters.facet_repeats, max_features=parameters.max_terms)
        if not terms:
            raise NotEnough("embedding needs items with words; this export has stop words only")
        vectors = _reduced(matrix, parameters)
    if vectors.min() == vectors.max():
        raise NotEnough("embedding needs items that differ in their words; all of these say the same")
    arrays: dict[str, AnyArray] = {
        "item_ids": material.catalogue.ids.array,
        "item_vectors": vectors,
        "text_hashes": np.array([key.encode() for key in hashes], dtype=np.bytes_),
    }
    return Trained("embedding", arrays, {**asdict(parameters), "n_dimensions": vectors.shape[1]})


def text_of(record: ItemRecord) -> str:
    """The text that represents an item: title, text, category, tags and attributes such as its price range; may be empty."""
    parts = [record.title, record.text, record.category or "", ", ".join(record.tags)]
    parts += [f"{name.replace('_', ' ')}: {', '.join(values)}" for name, values in sorted(record.attributes.items()) if values]
    return ". ".join(part.strip().rstrip(".") for part in parts if part.strip())


def text_hash(text: str) -> str:
    """SHA-256 of a text, in hex: shows whether an item's text has changed."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _reduced(matrix: AnyArray | sparse.csr_array, parameters: EmbeddingParameters) -> Floats:
    """Unit rows in at most `dimension` directions that preserve most of the matrix.

    Of TF-IDF rows this is latent semantic analysis: Deerwester et al. (1990), "Indexing by Latent Semantic Analysis".
    """
    if min(matrix.shape) <= parameters.dimension:
        left, strength, _ = np.linalg.svd(sparse.csr_array(matrix).toarray(), full_matrices=False)
        points = left * strength
    else:
        solver = TruncatedSVD(n_components=parameters.dimension, random_state=parameters.seed)
        points, strength = solver.fit_transform(matrix), solver.singular_values_
    points = points[:, strength > NO_RANK * strength.max()].astype(np.float32)
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return unit_rows(np.where(lengths > FAINT, points, np.float32(0)))


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

    Texts that this exact model (all bytes of its folder) has embedded before are read from a file in `keep_in`. The others
    are embedded `batch` at a time, and each batch is stored before the next one begins. The model is opened only if there
    is something to embed. Raises ModelUnusable if it cannot be opened.
    """
    model = seal_of(checked_folder(folder, "EMBEDDING_MODEL"))
    with _cache(keep_in) as database:
        stored = database.execute("SELECT text, vector FROM vectors WHERE model = ?", [model]).fetchall()
        cached = {key: np.frombuffer(raw, dtype="<f4") for key, raw in stored if key in texts}
        missing = [key for key in texts if key not in cached]
        embed: Embedder | None = None
        for start in range(0, len(missing), batch):
            embed = embed or opener(folder)
            keys = missing[start : start + batch]
            vectors = dict(zip(keys, embed([texts[key] for key in keys]), strict=True))
            rows = [(model, key, vector.astype("<f4").tobytes()) for key, vector in vectors.items()]
            with database:
                database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)
            cached |= vectors
            if progress:
                progress(len(cached), len(texts), "texts")
        with database:  # vectors of other models stay, for a site that returns to one of them
            gone = [(model, key) for key, _ in stored if key not in texts]
            database.executemany("DELETE FROM vectors WHERE model = ? AND text = ?", gone)
    return cached


@contextmanager
def _cache(keep_in: Path | None) -> Iterator[sqlite3.Connection]:
    """The file of cached vectors; a damaged file is replaced by an empty one, because its content can be computed again."""
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
