"""Actions of the page's buttons: a row in the site's own table if it has one for the event, else an interaction."""

from functools import partial
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction

from recommendation_service.errors import Gone, InvalidInput, NotFound
from tandem.event_sync.mirror import MirrorError, mirror_of
from tandem.models import Feedback
from tandem.selectors.items import items_by_id
from tandem.services.clicks import NAMESPACE, click_event, link_with_list
from tandem.services.feedback import give_feedback
from tandem.services.record_interactions import record_interactions
from tandem.sources import ItemSource
from tandem.trust.limits import Sender

INVALID_REQUEST_ID = "request_id must be a UUID"


def perform_action(source: type[ItemSource], person: Any, event: str, item_id: str, request_id: str | None) -> str:
    """Record one click; return an error message, or "" if it was recorded."""
    item = items_by_id(source=source, item_ids=[item_id]).get(item_id)
    try:
        list_id = UUID(request_id) if request_id else None
    except ValueError:
        return INVALID_REQUEST_ID
    if item is None:
        return f"item_id is not an item of {source.catalogue}"
    try:
        if source.act(person=person, event=event, item=item, request_id=list_id) or _write_row(
            source, person, event, item, list_id
        ):
            return ""
    except (InvalidInput, NotFound, Gone) as error:
        return error.message
    return _record_event(source, person, event, item_id, request_id)


def record_opened(source: type[ItemSource], user_id: str, item_id: str, request_id: str | None) -> None:
    """Record that a person opened an item from a shown list, once per list and item; nothing without the list's id."""
    event = click_event(source)
    try:
        list_id = UUID(request_id or "")
    except ValueError:
        return
    if event:
        row = {
            "event_id": str(uuid5(NAMESPACE, f"{list_id}:{item_id}:{event}:{user_id}")),
            "user_id": user_id,
            "item_id": item_id,
            "event": event,
            "catalogue": source.catalogue,
            "request_id": str(list_id),
        }
        record_interactions([row], source="page", sender=Sender.BROWSER, known_items_only=True)


def hide(source: type[ItemSource], person: Any, item_id: str, request_id: str | None) -> str:
    """Record that the person does not want to see the item; returns an error message, or "" if it was recorded.

    This is feedback, not an interaction: it removes the item from the person's lists and does not affect their preferences.
    """
    try:
        list_id = UUID(request_id) if request_id else None
    except ValueError:
        return INVALID_REQUEST_ID
    try:
        give_feedback(
            user_id=source.user_id(person),
            catalogue=source.catalogue,
            item_id=item_id,
            verdict=Feedback.Verdict.HIDE,
            request_id=list_id,
        )
    except InvalidInput as error:
        return error.message
    return ""


def _write_row(source: type[ItemSource], person: Any, event: str, item: Any, request_id: UUID | None) -> bool:
    """Make a row of the event's table, unless it exists; return False if the event has no table that this can fill."""
    try:
        mirror = mirror_of(source, event)
    except (KeyError, MirrorError):  # no table, or `manage.py check` reports what is wrong with it
        return False
    row = {str(mirror.columns["item"]): item, str(mirror.columns["user"]): person}
    fields = {field.name: field for field in mirror.model._meta.concrete_fields}
    others = [field for name, field in fields.items() if name not in row and not field.primary_key]
    if not row.keys() <= fields.keys() or not all(field.has_default() or field.null or field.blank for field in others):
        return False
    defaults = {"request_id": request_id} if "request_id" in fields else {}
    made, created = mirror.model._default_manager.get_or_create(**row, defaults=defaults)
    if created and request_id is not None and "request_id" not in fields:
        transaction.on_commit(partial(link_with_list, mirror.event_id(made.pk), request_id))
    return True


def _record_event(source: type[ItemSource], person: Any, event: str, item_id: str, request_id: str | None) -> str:
    row = {
        "user_id": source.user_id(person),
        "item_id": item_id,
        "event": event,
        "catalogue": source.catalogue,
        "request_id": request_id,
    }
    result = record_interactions([row], source="page", sender=Sender.BROWSER, known_items_only=True)[0]
    return "; ".join(error["pointer"][1:] + " " + error["detail"] for error in result.errors)
