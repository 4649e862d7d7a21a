"""Signed links from a shown list to what happens next: a click on an item, or another event such as dismiss.

A token holds catalogue, item id, request id and event. It is signed for one user, so that a shared link records nothing
for the person who opens it.
"""

import logging
import uuid
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.db.models import Exists, OuterRef
from django.db.utils import Error
from django.urls import NoReverseMatch, reverse
from django.utils.crypto import salted_hmac

from recommendation_service.use_cases.schema import UseCase
from tandem.event_sync import spool
from tandem.event_sync.spool_writer import write_soon
from tandem.identity import user_ids_of
from tandem.models import Impression, UserInteraction
from tandem.selectors.items import items_by_id
from tandem.selectors.transactions import contained
from tandem.services.record_interactions import record_answer
from tandem.sources import ItemSource, source_of, use_case_of
from tandem.use_cases import load

MAX_AGE_S = 30 * 86_400
WAIT_S = 0.05  # for other writers, while a visitor waits for the page
SALT = "tandem.event"
NAMESPACE = uuid.UUID("5b0c3d0e-9f52-4f7e-8d8f-2f6a7b1f5c11")  # one event per list, item and user, however often it is sent
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ListEvent:
    """One event that a token allows: what happened to which item of which list."""

    catalogue: str
    item_id: str
    request_id: str
    event: str  # "": nothing is recorded, the link only leads to the item
    owner: str  # keyed hash of the user id that the list was made for; "": a visitor without a user id

    def url(self, name: str = "tandem:click") -> str:
        """Return the address that records the event, or "" if the project does not include `tandem.urls`."""
        token = signing.dumps([self.catalogue, self.item_id, self.request_id, self.event, self.owner], salt=SALT)
        try:
            return reverse(name, args=[token])
        except NoReverseMatch:
            return ""


def owner_of(user_id: str | None) -> str:
    """Return the keyed hash of a user id that tokens hold; "" for None."""
    return "" if user_id is None else salted_hmac(SALT, user_id, algorithm="sha256").hexdigest()[:20]


def read_token(token: str) -> ListEvent | None:
    """Return the event of a token, or None if this site did not sign it or it is older than 30 days."""
    try:
        return ListEvent(*signing.loads(token, salt=SALT, max_age=MAX_AGE_S))
    except (signing.BadSignature, TypeError):
        return None


def user_id_for(event: ListEvent, user: Any) -> str | None:
    """Return the id that the event is recorded for, or None: the list was made for another user, or for nobody."""
    return next((user_id for user_id in user_ids_of(user) if owner_of(user_id) == event.owner), None)


def record_list_event(event: ListEvent, user_id: str) -> bool:
    """Record the event once per list and item. Returns False if it was refused.

    An event that the database cannot take now waits in the spool.
    """
    event_id = uuid.uuid5(NAMESPACE, f"{event.request_id}:{event.item_id}:{event.event}:{user_id}")
    row = {
        "user_id": user_id,
        "item_id": event.item_id,
        "event": event.event,
        "catalogue": event.catalogue,
        "request_id": event.request_id,
        "event_id": str(event_id),
    }
    try:
        with contained():
            recorded = record_answer(row, wait_s=WAIT_S)
    except Error:
        log.warning("a %s of a list waits in the spool", event.event, exc_info=True)
        return spool.append_entry("event", row)
    if spool.waits():
        write_soon()
    return recorded


def link_with_list(event_id: uuid.UUID, request_id: uuid.UUID) -> None:
    """Link a recorded event with the list that led to it, if that list was shown to the same user.

    For a row of the site's table that has no column for the list. Call it after the row is committed and mirrored.
    """
    spool.replay_for_lists()
    shown = Impression.objects.filter(request_id=request_id, user_id=OuterRef("user_id"))
    UserInteraction.objects.filter(Exists(shown), event_id=event_id, request_id=None).update(request_id=request_id)


def url_of_item(source: type[ItemSource], item: Any) -> str:
    """Return the address of the item's page, "" if it has none.

    It is `url` of its card, else get_absolute_url(), else its property `url`, which wagtail's pages have. A database field
    named `url` is not its page: it may lead to another site.
    """
    url = source.card(item).get("url", "")
    if not url and hasattr(item, "get_absolute_url"):
        url = item.get_absolute_url()
    if not url and isinstance(getattr(type(item), "url", None), property):
        url = item.url
    return str(url or "")


def destination(event: ListEvent) -> str:
    """Return the page of the clicked item, read from the site's tables now; "" if the item is gone or has no page."""
    source = source_of(event.catalogue)
    if source is None:
        return ""
    item = items_by_id(source=source, item_ids=[event.item_id]).get(event.item_id)
    return "" if item is None else url_of_item(source, item)


def click_event(source: type[ItemSource]) -> str:
    """Return the event that a click records: the first of `[outcomes] clicks`, else click or view, else ""."""
    use_case: UseCase = load(use_case_of(source))
    return next(iter([*use_case.outcomes.clicks, *(name for name in ("click", "view") if name in use_case.events)]), "")
