"""TF-IDF over an item's words, category, tags and attributes: it describes items without interactions, too."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

from recommendation_service.core.numeric import AnyArray, Floats
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.training.data import NotEnough, Trained, TrainingData
from recommendation_service.training.models.item_to_item import arrays_of
from recommendation_service.training.setting import Setting

MAX_TERM_LENGTH = 64  # a longer word is hardly a word, and would widen the whole array of terms
MAX_FEATURES = 5_000
_WORD = re.compile(r"[^\W_]{2,}")


@dataclass(frozen=True, slots=True)
class ContentParameters:
    """`facet_repeats`: how many times a category, tag or attribute counts, relative to a word of the text."""

    min_df: int = 1
    max_terms: int = 50_000
    facet_repeats: Annotated[int, Setting("weight of a category, tag or attribute; a word of the text has 1", least=1)] = 2


def train_content(material: TrainingData, parameters: ContentParameters) -> Trained:
    """Unit TF-IDF rows of all items as a sparse matrix; an item without any term has an empty row.

    Raises NotEnough if there are no items, or if none of them has a word, a category, a tag or an attribute.
    """
    matrix, terms = tf_idf(
        material.records, parameters.facet_repeats, min_df=parameters.min_df, max_features=parameters.max_terms
    )
    if not terms:
        raise NotEnough("content needs items with text, a category or tags; this export has none")
    matrix.sort_indices()
    arrays: dict[str, AnyArray] = {
        **arrays_of(matrix),
        "terms": np.array([term.encode() for term in terms], dtype=np.bytes_),
        "item_ids": material.catalogue.ids.array,
    }
    return Trained("content", arrays, {**asdict(parameters), "n_terms": len(terms)})


def tf_idf(records: Sequence[ItemRecord], facet_repeats: int = 1, **options: Any) -> tuple[sparse.csr_array, list[str]]:
    """(n, t) unit rows, and the term of each column; no columns if the records have no term that counts.

    `options` are those of scikit-learn's TfidfVectorizer.
    """
    vectorizer = TfidfVectorizer(
        analyzer=lambda record: list(terms_of(record, facet_repeats)), sublinear_tf=True, dtype=np.float32, **options
    )
    try:
        matrix = vectorizer.fit_transform(records)
    except ValueError:  # scikit-learn raises it for an empty vocabulary
        return sparse.csr_array(np.zeros((len(records), 0), dtype=np.float32)), []
    return sparse.csr_array(matrix), vectorizer.get_feature_names_out().tolist()


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


def item_features(records: Sequence[ItemRecord]) -> sparse.csr_array:
    """(n_items, f) unit rows of the categories, tags and attributes that two or more items share; f is at least 1."""
    lines = [facets_of(record) for record in records]
    counts = Counter(name for line in lines for name in line)
    shared = sorted((name for name in counts if counts[name] > 1), key=lambda name: (-counts[name], name))[:MAX_FEATURES]
    column_of = {name: column for column, name in enumerate(shared)}
    cells = [(row, column_of[name]) for row, line in enumerate(lines) for name in line if name in column_of]
    rows, columns = np.array(cells, dtype=np.int64).reshape(-1, 2).T
    sizes = np.bincount(rows, minlength=len(lines))
    values: Floats = (1 / np.sqrt(sizes[rows])).astype(np.float32)
    return sparse.csr_array((values, (rows, columns)), shape=(len(lines), max(len(shared), 1)))
