"""Every list endpoint of the sites, with a user and items to ask it for."""

from collections.abc import Callable
from typing import Any

from tests.support import blog, board, campus, store


class Listed:
    """One list endpoint: what it is asked for, with items that the service serves."""

    def __init__(self, path: str, use_case: str, surface: str, user_id: str | None, items: list[Any], rows: str) -> None:
        self.path, self.use_case, self.surface, self.user_id, self.rows = path, use_case, surface, user_id, rows
        self.item_ids = [str(item.pk) for item in items]
        self.catalogue = {str(key) for key in type(items[0])._default_manager.values_list("pk", flat=True)}


def _generic() -> Listed:
    startups, ada = board.make_startups(12), board.make_developer("Ada")
    path = board.PATH.format(ada.pk)
    return Listed(path, "startups", "for-developer", str(ada.pk), startups, "recommendations")


def _posts() -> Listed:
    posts = blog.make_posts(12, blog.make_member("Writer", is_creator=True))
    rob = blog.make_member("Rob")
    path = f"/recommend/hybrid-recommendations/?user_id={rob.pk}"
    return Listed(path, "posts", "hybrid-recommendations", str(rob.pk), posts, "results")


def _courses(path: str, surface: str) -> Callable[[], Listed]:
    def make() -> Listed:
        courses, learner = campus.make_courses(3), campus.make_learner()
        subject = courses[0].slug
        url = f"{path.format(subject)}?user_id={learner.pk}"
        return Listed(url, "courses", surface, learner.pk, courses[1:], "recommendations")

    return make


def _shop(path: str, surface: str) -> Callable[[], Listed]:
    def make() -> Listed:
        products, ada = store.make_products(14), store.make_customer("Ada")
        url = f"/api/v1/recommendations/{path.format(products[0].pk)}?user_id={ada.pk}"
        return Listed(url, "shop", surface, str(ada.pk), products[1:], "recommendations")

    return make


ENDPOINTS: dict[str, Callable[[], Listed]] = {
    "recommendations": _generic,
    "hybrid-recommendations": _posts,
    "home": _courses(campus.HOME, "home"),
    "courses similar": _courses(campus.SIMILAR, "similar"),
    "homepage": _shop("homepage", "homepage"),
    "cart-recommendations": _shop("cart", "homepage"),
    "shop similar": _shop("product/{}", "product"),
    "bought-together": _shop("frequently-bought-together/{}", "frequently-bought-together"),
}
