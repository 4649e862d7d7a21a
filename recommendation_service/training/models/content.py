"""TF-IDF over an item's words, category, tags and attributes: what can be said of an item nobody has touched yet."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

from recommendation_service.core.numeric import AnyArray
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.training.data import NotEnough, Trained, TrainingData

MAX_TERM_LENGTH = 64  # a longer word says nothing and would widen the whole array of terms
_WORD = re.compile(r"[^\W_]{2,}")


@dataclass(frozen=True, slots=True)
class ContentParameters:
    """`facet_repeats`: how many times a category, tag or attribute counts against once for a word of the text."""

    min_df: int = 1
    max_terms: int = 50_000
    facet_repeats: int = 2


def train_content(material: TrainingData, parameters: ContentParameters) -> Trained:
    """Unit TF-IDF rows of every item, CSR in parts; an item without any term has an empty row.

    Raises NotEnough when there are no items, or none of them has a word, a category, a tag or an attribute.
    """
    vectorizer = TfidfVectorizer(
        analyzer=lambda record: list(terms_of(record, parameters.facet_repeats)),
        min_df=parameters.min_df,
        max_features=parameters.max_terms,
        sublinear_tf=True,
        dtype=np.float32,
    )
    try:
        matrix = sparse.csr_array(vectorizer.fit_transform(material.records))
    except ValueError as error:  # scikit-learn's word for an empty vocabulary
        raise NotEnough("content needs items with text, a category or tags; this export has none") from error
    matrix.sort_indices()
    terms = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.__getitem__)
    arrays: dict[str, AnyArray] = {
        "indptr": matrix.indptr.astype(np.int64),
        "indices": matrix.indices.astype(np.int32),
        "values": matrix.data.astype(np.float32),
        "terms": np.array([term.encode() for term in terms], dtype=np.bytes_),
        "item_ids": material.catalogue.ids.array,
    }
    return Trained("content", arrays, {**asdict(parameters), "n_terms": len(terms)})


def terms_of(record: ItemRecord, facet_repeats: int = 1) -> Iterator[str]:
    """Words of title and text without English stop words, then `category=x`, `tags=y` and `<attribute>=z`, casefolded."""
    for word in _WORD.findall(f"{record.title} {record.text}".casefold()):
        if word not in ENGLISH_STOP_WORDS and len(word.encode()) <= MAX_TERM_LENGTH:
            yield word
    for facet in facets_of(record):
        for _ in range(facet_repeats):
            yield facet


def facets_of(record: ItemRecord) -> list[str]:
    """An item's category, tags and attributes as terms, sorted, each once."""
    pairs = [("category", record.category)] if record.category else []
    pairs += [("tags", tag) for tag in record.tags]
    pairs += [(name, value) for name, values in record.attributes.items() for value in values]
    return sorted({f"{name}={value.casefold()}" for name, value in pairs if value})
