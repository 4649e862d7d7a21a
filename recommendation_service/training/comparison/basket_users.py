"""Baskets of a test part with one product left out: which engine shows what was bought with the rest?

A list for a person says little about what goes with a product, so engines for product pages and carts are asked this.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import Ints
from recommendation_service.datasets.reader import Events
from recommendation_service.domain.history import History
from recommendation_service.domain.query import Query
from recommendation_service.training.data import Material
from recommendation_service.training.evaluation.evaluator import Panel
from recommendation_service.training.models.co_occurrence import CoOccurrenceParameters, baskets_of

QUESTIONS_AT_MOST = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class BasketPanel(Panel):
    """A panel of questions in place of people: `users` are those who bought, `subjects` the rest of each basket."""

    subjects: tuple[Ints, ...]

    def query(self, place: int) -> Query:
        """The request of a product page or a cart: about these items, and of nobody in particular."""
        asked = Panel.query(self, place)  # slots leave super() without its class
        return replace(asked, history=History.empty(), user_id=None, profile={}, subject=self.subjects[place])


def build_baskets(
    material: Material, part: Events, parameters: CoOccurrenceParameters, *, most: int = QUESTIONS_AT_MOST
) -> BasketPanel:
    """Every item of every basket of `part` left out once, at most `most` questions, taken evenly."""
    baskets = baskets_of(part, parameters)
    sizes = np.diff(baskets.indptr)
    owner = np.repeat(np.arange(len(baskets)), sizes)
    places = np.flatnonzero(sizes[owner] >= 2)
    if places.size > most:
        places = places[np.linspace(0, places.size - 1, most).astype(np.int64)]
    subjects = tuple(
        _rest(baskets.items, int(baskets.indptr[own]), int(baskets.indptr[own + 1]), int(place))
        for place, own in zip(places, owner[places], strict=True)
    )
    shape = (places.size, len(material.catalogue))
    eligible = np.ones(shape, dtype=np.bool_)
    for number, subject in enumerate(subjects):
        eligible[number, subject] = False
    ones = np.ones(places.size, dtype=np.float32)
    left_out = sparse.csr_array((ones, (np.arange(places.size), baskets.items[places])), shape=shape)
    return BasketPanel(material, baskets.users[owner[places]], left_out, eligible, subjects)


def _rest(items: Ints, start: int, stop: int, place: int) -> Ints:
    return np.concatenate([items[start:place], items[place + 1 : stop]])
