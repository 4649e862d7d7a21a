"""Lists that the shop showed in the past: scored as its ensembles would, clicked as the customer's true taste says.

The blends that made them have the configured weights. What people truly want is another mixture, and the top is looked at more
than what lies below: a ranker that learns from the clicks, and corrects for the place, has something true to find.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import numpy as np

from demo.synthetic.shop.customers import Taste
from demo.synthetic.shop.products import NAMES, Assortment, Chance, Floats, Ints
from recommendation_service.use_cases.loader import load
from tandem.services.bulk_load import Shown

LENGTHS = {"homepage": 12, "product": 8}
CANDIDATES = 36
LOOKED_AT = 0.3  # the chance of looking at place p is 1 / (1 + LOOKED_AT * (p - 1))
CLICK_AT_BEST = 0.55
INDIFFERENT = 3.0  # the pull at which half of those who look, click
BELONGS = 2.0  # what belonging to the product on the page adds to the pull
ALIKE = 0.5  # the likeness of two products of one category, as the pipeline notes it: they have no tags


@dataclass(frozen=True, slots=True)
class Blend:
    """The engine that is said to have made a surface's lists, and its members' configured weights."""

    name: str
    weights: dict[str, float]

    @classmethod
    def of(cls, surface: str) -> "Blend":
        """As the use-case file says; an engine that is no ensemble speaks for itself."""
        use_case = load("shop")
        options = use_case.surfaces[surface].router.options
        name = options.get("engine") or options["hot"]
        return cls(name, dict(use_case.engines[name].options.get("members", {name: 1.0})))


class Place(NamedTuple):
    """Where and when a list was shown, and to whom; `at` is seconds since 1970, `about` the product of the page or -1."""

    request_id: UUID
    user_id: str
    surface: str
    at: float
    about: int = -1


class Showcase:
    """Makes lists for one assortment."""

    def __init__(self, rng: Chance, assortment: Assortment) -> None:
        self.rng, self.assortment = rng, assortment
        self.blends = {surface: Blend.of(surface) for surface in LENGTHS}
        self.lists: list[Shown] = []

    def show(self, where: Place, found: Ints, pull: Floats, taste: Taste) -> Ints:
        """Record one list of the best of `found`, (k,); gives the places of the shown products, the top first."""
        blend = self.blends[where.surface]
        said = self._said(where, found, pull, taste)
        crowd = said["collaborative"]
        parts = np.stack([weight * _unit(said.get(name, crowd)) for name, weight in blend.weights.items()])
        scores = parts.sum(axis=0)
        top = np.argsort(-scores, kind="stable")[: LENGTHS[where.surface]]
        noted = {**dict(zip(blend.weights, parts, strict=True)), "score": scores, "standing": _unit(scores)}
        if where.about >= 0:
            noted["likeness"] = ALIKE * (self.assortment.shelf[found] == self.assortment.shelf[where.about])
        told = [{name: round(float(values[row]), 4) for name, values in noted.items()} for row in top]
        items = [(str(self.assortment.products[found[row]].pk), float(scores[row])) for row in top]
        moment = datetime.fromtimestamp(where.at, UTC)
        self.lists.append(Shown(where.request_id, where.user_id, where.surface, blend.name, moment, items, told))
        return found[top]

    def clicked(self, shown: Ints, pull: Floats, *, about: int) -> list[int]:
        """Which of the shown products the customer clicks."""
        wants = pull[shown] + (BELONGS * np.isin(shown, self.assortment.partners[about]) if about >= 0 else 0.0)
        looks = 1.0 / (1.0 + LOOKED_AT * np.arange(shown.size))
        chance = CLICK_AT_BEST * looks / (1.0 + np.exp(INDIFFERENT - wants))
        return [int(place) for place in shown[self.rng.random(shown.size) < chance]]

    def _said(self, where: Place, found: Ints, pull: Floats, taste: Taste) -> dict[str, Floats]:
        """What each member would say, (k,): content knows the shelf, the crowd knows the taste roughly, all know the hits."""
        liked = [NAMES.index(name) for name in taste.persona.shelves]
        partners = self.assortment.partners[where.about] if where.about >= 0 else np.empty(0, dtype=np.int64)
        return {
            "content_based": np.isin(self.assortment.shelf[found], liked) + self.rng.normal(0, 0.5, found.size),
            "collaborative": pull[found] + self.rng.normal(0, 0.6, found.size),
            "bought_together": np.isin(found, partners) + self.rng.normal(0, 0.3, found.size),
            "popular": self.assortment.draw[found],
        }


def _unit(values: Floats) -> Floats:
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.full(values.size, 0.5)
