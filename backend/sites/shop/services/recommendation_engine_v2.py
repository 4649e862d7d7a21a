"""The shop's lists for Python code: `HybridRecommendationEngine().homepage(user_id)`."""

from collections.abc import Sequence
from typing import Any

from sites.shop.recommendation_sources import Shop
from tandem.services.recommend import recommend


class HybridRecommendationEngine:
    """The shop's lists through the four stages: candidates, hybrid score, reranking, business rules.

    shop.toml has the weights and rules. Each answer is the one of the endpoint, with the item ids in `recommendations`.
    """

    def homepage(self, user_id: str, limit: int = 12) -> dict[str, Any]:
        """Return products for a customer."""
        return self._recommend("homepage", user_id, limit)

    def product(self, product_id: str, user_id: str | None = None, limit: int = 8) -> dict[str, Any]:
        """Return products similar to one product, or bought with it. Raises NotFound and Gone."""
        return self._recommend("product", user_id, limit, [product_id])

    def frequently_bought_together(self, product_id: str, user_id: str | None = None, limit: int = 4) -> dict[str, Any]:
        """Return products that are ordered together with one product. Raises NotFound and Gone."""
        return self._recommend("frequently-bought-together", user_id, limit, [product_id])

    def cart(self, product_ids: Sequence[str], user_id: str, limit: int = 8) -> dict[str, Any]:
        """Return products for a whole cart; for an empty cart, products for its customer."""
        return self._recommend("cart" if product_ids else "homepage", user_id, limit, product_ids)

    def _recommend(self, surface: str, user_id: str | None, limit: int, item_ids: Sequence[str] = ()) -> dict[str, Any]:
        return recommend(use_case=Shop.catalogue, surface=surface, user_id=user_id, item_ids=item_ids, limit=limit)
