"""Lists that the shop showed in the past: scored as its ensemble would, clicked as the customer's true taste says.

The blend that made them has the stated weights. What people truly want is another mixture, and the top is looked at more
than what lies below: a ranker that learns from the clicks, and corrects for the place, has something true to find.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import numpy as np

from recommendation_service.use_cases.loader import load
from sites.happened import Shown
from sites.shop.assortment import NAMES, Assortment, Chance, Floats, Ints
from sites.shop.shoppers import Taste

STATED = {"content_based": 0.5, "collaborative": 0.3, "popular": 0.2}
LENGTHS = {"homepage": 12, "product": 8}
CANDIDATES = 36
LOOKED_AT = 0.3  # the chance of looking at place p is 1 / (1 + LOOKED_AT * (p - 1))
CLICK_AT_BEST = 0.55
INDIFFERENT = 1.1  # the pull at which half of those who look, click
BELONGS = 2.0  # what belonging to the product on the page adds to the pull


@dataclass(frozen=True, slots=True)
class Blend:
    """The engine that is said to have made the lists, and its members' stated weights."""

    name: str
    weights: dict[str, float]

    @classmethod
    def stated(cls) -> "Blend":
        """As the use-case file says, as long as it has such an ensemble of three; else the stated three."""
        found = load("shop").main_ensemble()
        members = dict(found[1].options.get("members", {})) if found else {}
        if found is None or len(members) != len(STATED):
            return cls("hybrid", STATED)
        return cls(found[0], dict(zip(members, STATED.values(), strict=True)))


class Place(NamedTuple):
    """Where and when a list was shown, and to whom; `at` is seconds since 1970."""

    request_id: UUID
    user_id: str
    surface: str
    at: float


class Showcase:
    """Makes lists for one assortment."""

    def __init__(self, rng: Chance, assortment: Assortment) -> None:
        self.rng, self.assortment = rng, assortment
        self.blend = Blend.stated()
        self.lists: list[Shown] = []

    def show(self, where: Place, found: Ints, pull: Floats, taste: Taste) -> Ints:
        """Record one list of the best of `found`, (k,); gives the places of the shown products, the top first."""
        weights = self.blend.weights.values()
        parts = np.stack([weight * _unit(one) for weight, one in zip(weights, self._members(found, pull, taste), strict=True)])
        scores = parts.sum(axis=0)
        top = np.argsort(-scores, kind="stable")[: LENGTHS[where.surface]].tolist()
        standing = _unit(scores)
        items = [(str(self.assortment.products[found[row]].pk), float(scores[row])) for row in top]
        told = [self._told(parts[:, row], float(scores[row]), float(standing[row])) for row in top]
        moment = datetime.fromtimestamp(where.at, UTC)
        self.lists.append(Shown(where.request_id, where.user_id, where.surface, self.blend.name, moment, items, told))
        return found[top]

    def clicked(self, shown: Ints, pull: Floats, *, about: int = -1) -> list[int]:
        """Which of the shown products the customer clicks."""
        wants = pull[shown] + (BELONGS * np.isin(shown, self.assortment.partners[about]) if about >= 0 else 0.0)
        looks = 1.0 / (1.0 + LOOKED_AT * np.arange(shown.size))
        chance = CLICK_AT_BEST * looks / (1.0 + np.exp(INDIFFERENT - wants))
        return [int(place) for place in shown[self.rng.random(shown.size) < chance]]

    def _members(self, found: Ints, pull: Floats, taste: Taste) -> tuple[Floats, Floats, Floats]:
        """What each member would say: content knows the shelf, the crowd knows the taste roughly, all know the hits."""
        liked = [NAMES.index(name) for name in taste.persona.shelves]
        content = np.isin(self.assortment.shelf[found], liked) + self.rng.normal(0, 0.5, found.size)
        crowd = pull[found] + self.rng.normal(0, 0.6, found.size)
        return content, crowd, self.assortment.draw[found]

    def _told(self, parts: Floats, score: float, standing: float) -> dict[str, float]:
        shares = {name: round(float(part), 4) for name, part in zip(self.blend.weights, parts, strict=True)}
        return {**shares, "score": round(score, 4), "standing": round(standing, 4)}


def _unit(values: Floats) -> Floats:
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.full(values.size, 0.5)
