"""Lists that the shop showed: scored as its ensembles would, clicked by the customer's true interest.

The ensembles have the configured weights. Customers' true interest is another mixture, and they look at the top more than
at the bottom, so a ranker that learns from the clicks and corrects for the position has a real difference to learn.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import numpy as np

from demo.synthetic.shop.customers import Preferences
from demo.synthetic.shop.products import CATEGORIES, ProductRange
from demo.synthetic.simulation import Floats, Ints, Rng, SiteHistory
from recommendation_service.use_cases.loader import load
from tandem.services.bulk_load import Shown

LENGTHS = {"homepage": 12, "product": 8}
CANDIDATES = 36
ATTENTION_LOSS = 0.3  # the probability of looking at position p is 1 / (1 + ATTENTION_LOSS * (p - 1))
BEST_CLICK_RATE = 0.55
HALF_CLICK_INTEREST = 3.0  # the interest at which half of the best click rate is reached
PARTNER_BONUS = 2.0  # added to the interest in partners of the product on the page
SAME_CATEGORY_SIMILARITY = 0.5  # of two products without tags, as the pipeline calculates it


@dataclass(frozen=True, slots=True)
class Blend:
    """The engine that made a surface's lists, and its members' configured weights."""

    name: str
    weights: dict[str, float]

    @classmethod
    def of(cls, surface: str) -> "Blend":
        """Read it from the use-case file; an engine that is no ensemble is its own only member."""
        use_case = load("shop")
        options = use_case.surfaces[surface].router.options
        name = options.get("engine") or options["hot"]
        return cls(name, dict(use_case.engines[name].options.get("members", {name: 1.0})))


class ListContext(NamedTuple):
    """Where and when a list was shown, and to whom; `at` is seconds since 1970, `about` the page's product row or -1."""

    request_id: UUID
    user_id: str
    surface: str
    at: float
    about: int = -1


class ListSimulator:
    """Makes lists from one product range."""

    def __init__(self, rng: Rng, products: ProductRange, history: SiteHistory) -> None:
        self.rng, self.products, self.history = rng, products, history
        self.blends = {surface: Blend.of(surface) for surface in LENGTHS}

    def show(self, context: ListContext, candidates: Ints, interest: Floats, preferences: Preferences) -> Ints:
        """Record a list of the best `candidates`, (k,); return the rows of its products, the best first."""
        blend = self.blends[context.surface]
        scores_of = self._member_scores(context, candidates, interest, preferences)
        default = scores_of["collaborative"]
        parts = np.stack([weight * _scaled(scores_of.get(name, default)) for name, weight in blend.weights.items()])
        scores = parts.sum(axis=0)
        top = np.argsort(-scores, kind="stable")[: LENGTHS[context.surface]]
        columns = {**dict(zip(blend.weights, parts, strict=True)), "score": scores, "standing": _scaled(scores)}
        if context.about >= 0:
            same = self.products.category[candidates] == self.products.category[context.about]
            columns["likeness"] = SAME_CATEGORY_SIMILARITY * same
        rows = [{name: round(float(values[row]), 4) for name, values in columns.items()} for row in top]
        items = [(str(self.products.products[candidates[row]].pk), float(scores[row])) for row in top]
        time = datetime.fromtimestamp(context.at, UTC)
        self.history.lists.append(Shown(context.request_id, context.user_id, context.surface, blend.name, time, items, rows))
        return candidates[top]

    def clicked(self, shown: Ints, interest: Floats, *, about: int) -> list[int]:
        """Draw which of the shown products the customer clicks."""
        bonus = PARTNER_BONUS * np.isin(shown, self.products.partners[about]) if about >= 0 else 0.0
        attention = 1.0 / (1.0 + ATTENTION_LOSS * np.arange(shown.size))
        probability = BEST_CLICK_RATE * attention / (1.0 + np.exp(HALF_CLICK_INTEREST - (interest[shown] + bonus)))
        return [int(row) for row in shown[self.rng.random(shown.size) < probability]]

    def _member_scores(
        self, context: ListContext, candidates: Ints, interest: Floats, preferences: Preferences
    ) -> dict[str, Floats]:
        """Return (k,) each member's scores; each member knows another part of the interest."""
        liked = [CATEGORIES.index(name) for name in preferences.persona.categories]
        partners = self.products.partners[context.about] if context.about >= 0 else np.empty(0, dtype=np.int64)
        return {
            "content_based": np.isin(self.products.category[candidates], liked) + self.rng.normal(0, 0.5, candidates.size),
            "collaborative": interest[candidates] + self.rng.normal(0, 0.6, candidates.size),
            "bought_together": np.isin(candidates, partners) + self.rng.normal(0, 0.3, candidates.size),
            "popular": self.products.popularity[candidates],
        }


def _scaled(values: Floats) -> Floats:
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.full(values.size, 0.5)
