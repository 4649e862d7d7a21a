"""How a site declares a catalogue whose items come from several models, such as articles and videos in one list.

    class Everything(ItemSource):
        catalogue = "everything"
        created = "published_at"
        models = (
            Items(Article.objects.filter(is_live=True), text=("headline", "body"), category="section__name"),
            Items(Video, text=("title",), visible_to=lambda user: Q(is_private=False)),
        )
        events = [Event(ArticleLike, event="like"), Event(VideoLike, event="like"), Event(Vote, item="target", event="vote")]

Item ids are the key after the prefix of the model: `article-5`, `video-5`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Manager, Model, Q, QuerySet

FIELDS = ("item_id", "title", "text", "category", "tags", "created", "filters", "available")


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """One model of a catalogue. None: as the catalogue's class says."""

    queryset: type[Model] | QuerySet[Any] | Manager[Any] | Callable[[], QuerySet[Any]]  # the items that can be shown now
    prefix: str | None = None  # of the item ids; default: "article-" for the model Article. At most one may be ""
    model: type[Model] | None = None  # default: of `queryset`, which is then called when Django starts
    item_id: str | None = None
    title: str | None = None
    text: Sequence[str] | None = None
    category: str | None = None
    tags: str | None = None
    created: str | None = None
    filters: Sequence[str] | None = None
    available: Mapping[str, Any] | None = None
    visible_to: Callable[[str | None], Q | None] | None = None  # user id -> condition for this model's items

    def attributes(self) -> dict[str, Any]:
        """Return the attributes of an ItemSource of this model alone."""
        rows = self._rows()
        model = self.model or (rows() if callable(rows) else rows).model
        prefix = f"{model._meta.model_name}-" if self.prefix is None else self.prefix
        own = {name: value for name in FIELDS if (value := getattr(self, name)) is not None}
        visible_to = self.visible_to
        if visible_to is not None:
            own["visible_to"] = classmethod(lambda _cls, user: visible_to(user))
        return {**own, "queryset": rows, "model": model, "item_prefix": prefix, "models": ()}

    def _rows(self) -> Any:
        rows = self.queryset
        if isinstance(rows, type) and issubclass(rows, Model):
            return rows._default_manager.all()
        return rows.all() if isinstance(rows, Manager) else rows
