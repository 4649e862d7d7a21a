"""Lists for the templates and views of a site: the answer of `recommend()` joined with the site's own objects.

    from tandem.slates import slate

    jobs = slate("for-candidate", user=request.user, limit=8)
    for entry in jobs:
        entry.object.title, entry.reasons, entry.click_url

`slate()` never raises into a page for what a visitor can cause: see its docstring.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db.models import Model
from django.db.utils import Error

from recommendation_service.domain.request import DEFAULT_LIMIT, MAX_LIMIT
from recommendation_service.errors import Gone, InvalidInput, NotFound
from tandem.identity import user_id_or_none, user_ids_of
from tandem.selectors.items import id_of, items_by_id, title_of
from tandem.selectors.transactions import contained
from tandem.services.clicks import ListEvent, click_event, owner_of, url_of_item
from tandem.services.recommend import popular_answer, recommend
from tandem.sources import ItemSource
from tandem.surfaces import BoundSurface, surface_named

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SlateItem:
    """One recommended item."""

    item_id: str
    title: str
    position: int  # from 1
    score: float
    reasons: tuple[str, ...]
    object: Any | None  # the site's own object; None if the database did not answer
    source: type[ItemSource]
    request_id: str
    owner: str  # see clicks.ListEvent

    @property
    def kind(self) -> str:
        """The name of the object's model in lower case, such as "video", for a catalogue with several models; "" without it."""
        return "" if self.object is None else str(self.object._meta.model_name)

    @cached_property
    def url(self) -> str:
        """The item's page on the site, or ""."""
        return "" if self.object is None else url_of_item(self.source, self.object)

    @cached_property
    def click_url(self) -> str:
        """The address that records the click and leads to `url`; `url` itself if `tandem.urls` is not included."""
        return (self.event(click_event(self.source)).url() if self.url else "") or self.url

    def event(self, name: str) -> ListEvent:
        """Return an event with this item, such as "dismiss", that a page may send."""
        return ListEvent(self.source.catalogue, self.item_id, self.request_id, name, self.owner)


@dataclass(frozen=True)
class Slate:
    """One list with its items in order. Empty only if the catalogue has nothing to show."""

    surface: str
    title: str
    request_id: str  # "" if no list could be made
    method_used: str
    degraded: bool
    items: tuple[SlateItem, ...]

    def __iter__(self) -> Iterator[SlateItem]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


def slate(
    surface: str,
    *,
    user: Any = None,
    item: Any = None,
    items: Sequence[Any] = (),
    limit: int = DEFAULT_LIMIT,
    filters: Mapping[str, Sequence[str]] | None = None,
    exclude: Iterable[Any] = (),
) -> Slate:
    """Return the list of a surface for a page.

    `surface` is a name that one use case has, or "use_case/surface". `user` is a Django user, an object of one of the
    source's `profiles`, a user id, or None. `item` and `items` are the subjects: objects of the catalogue or their ids.
    `exclude` are items that must not be shown: objects, ids, entries of a list, or whole lists of the same page.
    Without a user id the list is not personal. A subject that the catalogue does not show, such as an unpublished product,
    gives popular items. Raises NotFound for a surface that does not exist, and InvalidInput for a wrong limit or filter,
    only if DEBUG is True; otherwise these are logged and the list is empty.
    """
    try:
        bound = surface_named(surface)
        _check(bound, limit, filters or {})
        excluded = list(dict.fromkeys(_ids_of(bound.source, exclude)))
        return _made(bound, _user_id(bound, user), _subjects(bound, item, items), limit, filters or {}, excluded)
    except (NotFound, InvalidInput) as error:
        if settings.DEBUG:
            raise
        log.error("the list '%s' is empty: %s", surface, error)
        return Slate(surface, "", "", "", True, ())


aslate = sync_to_async(slate, thread_sensitive=True)


def _check(bound: BoundSurface, limit: int, filters: Mapping[str, Sequence[str]]) -> None:
    if not isinstance(limit, int) or not 1 <= limit <= MAX_LIMIT:
        raise InvalidInput(f"limit must be a number from 1 to {MAX_LIMIT}, not {limit!r}")
    unknown = sorted(set(filters) - bound.facets)
    if unknown:
        known = ", ".join(sorted(bound.facets)) or "none"
        raise InvalidInput(f"'{unknown[0]}' is not a filter of {bound.catalogue}; its filters are {known}")


def _made(
    bound: BoundSurface,
    user_id: str | None,
    subjects: list[str],
    limit: int,
    filters: Mapping[str, Sequence[str]],
    exclude: list[str],
) -> Slate:
    try:
        answer = recommend(
            use_case=bound.use_case.name,
            surface=bound.name,
            user_id=user_id,
            item_ids=subjects,
            limit=limit,
            filters=filters,
            exclude=exclude,
        )
    except (NotFound, Gone, InvalidInput) as error:
        log.info("'%s' shows popular items: %s", bound.name, error)
        answer = popular_answer(bound, user_id=user_id, limit=limit, filters=filters, exclude=exclude)
    return _joined(bound, user_id, answer)


def _joined(bound: BoundSurface, user_id: str | None, answer: Mapping[str, Any]) -> Slate:
    rows = answer["recommendations"]
    try:
        with contained():
            objects = items_by_id(source=bound.source, item_ids=[row["item_id"] for row in rows])
    except Error:
        objects = {}
    owner = owner_of(user_id)
    return Slate(
        surface=bound.name,
        title=bound.surface.title or bound.name.replace("-", " ").capitalize(),
        request_id=answer["request_id"],
        method_used=answer["method_used"],
        degraded=answer["degraded"],
        items=tuple(
            SlateItem(
                item_id=row["item_id"],
                title=row["title"] or title_of(source=bound.source, item=objects[row["item_id"]]),
                position=row["position"],
                score=row["score"],
                reasons=tuple(row["reasons"]),
                object=objects.get(row["item_id"]),
                source=bound.source,
                request_id=answer["request_id"],
                owner=owner,
            )
            for row in rows
            if row["title"] or row["item_id"] in objects  # without the database, an item of which nothing is known
        ),
    )


def _user_id(bound: BoundSurface, user: Any) -> str | None:
    """Return the user id in this surface's catalogue."""
    if user is None or user == "":
        return None
    if isinstance(user, str | int):
        return user_id_or_none(user)
    if any(isinstance(user, people.model) for people in bound.source.profiles):
        return bound.source.user_id(user)
    return next(iter(user_ids_of(user, catalogue=bound.catalogue)), None)


def _ids_of(source: type[ItemSource], excluded: Iterable[Any]) -> Iterator[str]:
    """Yield the ids of objects, ids, entries of lists, and lists."""
    for each in [excluded] if isinstance(excluded, Slate | SlateItem | Model | str) else excluded:
        if isinstance(each, Slate):
            yield from (entry.item_id for entry in each)
        elif isinstance(each, SlateItem):
            yield each.item_id
        else:
            yield id_of(source, each) if isinstance(each, Model) else str(each)


def _subjects(bound: BoundSurface, item: Any, items: Sequence[Any]) -> list[str]:
    subjects = [*([] if item is None else [item]), *items]
    source = bound.subject_source
    return [id_of(source, subject) if isinstance(subject, Model) else str(subject) for subject in subjects]
