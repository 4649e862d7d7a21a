"""Dense vectors of items' texts: TF-IDF brought down to few dimensions, or a sentence-transformers model of your own."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from recommendation_service.core.numeric import AnyArray, Floats, unit_rows
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.errors import ConfigurationError
from recommendation_service.training.data import NotEnough, Trained, TrainingData
from recommendation_service.training.models.content import terms_of
from recommendation_service.training.models.embedding_cache import embed_resumably
from recommendation_service.training.report import Progress

NO_RANK = 1e-6  # a singular value below this share of the first is rounding, not meaning
FAINT = 1e-3  # a row shorter than this lies outside the directions kept: what is left of it is rounding too


@dataclass(frozen=True, slots=True)
class EmbeddingParameters:
    """`model` is a sentence-transformers folder, embedded in batches of `batch`; empty: TF-IDF and truncated SVD.

    `dimension` is the most numbers a vector has: an SVD keeps no more than the rank of its texts, a ready model's own
    length is cut by an SVD of its vectors when it is larger.
    """

    model: str = ""
    dimension: int = 384
    batch: int = 50
    facet_repeats: int = 2
    max_terms: int = 50_000
    seed: int = 42

    def __post_init__(self) -> None:
        """Raises ConfigurationError for a number below 1, naming it."""
        for name in ("dimension", "batch", "facet_repeats", "max_terms"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ConfigurationError(f"training of an embedding: {name} is {value!r}; it must be a whole number from 1 on")


def train_embedding(material: TrainingData, parameters: EmbeddingParameters, *, progress: Progress | None = None) -> Trained:
    """One unit vector an item, (n, d); zeros for an item without text.

    Raises NotEnough when no item has a text, a category, a tag or an attribute, and ModelUnusable when `model` cannot
    be opened. Vectors of a ready model are kept beside the exports, so that no unchanged text is embedded twice.
    """
    texts = [text_of(record) for record in material.records]
    if not any(texts):
        raise NotEnough("embedding needs items with text, a category or tags; this export has none")
    hashes = [text_hash(text) for text in texts]
    if parameters.model:
        known = {key: text for key, text in zip(hashes, texts, strict=True) if text}
        found = embed_resumably(known, Path(parameters.model), material.keep_in, batch=parameters.batch, progress=progress)
        vectors = _shortened(_in_order(hashes, found), parameters)
    else:
        vectors = _latent(material.records, parameters)
    if vectors.min() == vectors.max():
        raise NotEnough("embedding needs items that differ in their words; all of these say the same")
    arrays: dict[str, AnyArray] = {
        "item_ids": material.catalogue.ids.array,
        "item_vectors": vectors,
        "text_hashes": np.array([one.encode() for one in hashes], dtype=np.bytes_),
    }
    return Trained("embedding", arrays, {**asdict(parameters), "n_dimensions": vectors.shape[1]})


def text_of(record: ItemRecord) -> str:
    """What an item is embedded by: title, text, category, tags and attributes such as its price range; "": nothing."""
    parts = [record.title, record.text, record.category or "", ", ".join(record.tags)]
    parts += [f"{name.replace('_', ' ')}: {', '.join(values)}" for name, values in sorted(record.attributes.items()) if values]
    return ". ".join(part.strip().rstrip(".") for part in parts if part.strip())


def text_hash(text: str) -> str:
    """SHA-256 of a text, in hex: tells whether an item's text has changed."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _latent(records: Sequence[ItemRecord], parameters: EmbeddingParameters) -> Floats:
    """Latent semantic analysis: Deerwester et al. (1990), "Indexing by Latent Semantic Analysis"."""
    vectorizer = TfidfVectorizer(
        analyzer=lambda record: list(terms_of(record, parameters.facet_repeats)),
        max_features=parameters.max_terms,
        sublinear_tf=True,
        dtype=np.float32,
    )
    try:
        matrix = vectorizer.fit_transform(records)
    except ValueError as error:  # scikit-learn's word for an empty vocabulary
        raise NotEnough("embedding needs items with words; this export has stop words only") from error
    return _reduced(matrix, parameters)


def _in_order(hashes: Sequence[str], found: Mapping[str, Floats]) -> Floats:
    """A row for every hash, zeros for those that were not embedded."""
    nothing = np.zeros(next(iter(found.values())).size, dtype=np.float32)
    return np.stack([found.get(one, nothing) for one in hashes])


def _shortened(vectors: Floats, parameters: EmbeddingParameters) -> Floats:
    return vectors if vectors.shape[1] <= parameters.dimension else _reduced(vectors, parameters)


def _reduced(matrix: AnyArray, parameters: EmbeddingParameters) -> Floats:
    """The matrix's rows in at most `dimension` directions that keep most of them, each of unit length again."""
    if min(matrix.shape) <= parameters.dimension:
        whole = sparse.csr_array(matrix).toarray()
        left, strength, _ = np.linalg.svd(whole, full_matrices=False)
        points = left * strength
    else:
        solver = TruncatedSVD(n_components=parameters.dimension, random_state=parameters.seed)
        points, strength = solver.fit_transform(matrix), solver.singular_values_
    points = points[:, strength > NO_RANK * strength.max()].astype(np.float32)
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return unit_rows(np.where(lengths > FAINT, points, np.float32(0)))
