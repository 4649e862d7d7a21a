"""A click on the page, done where the site itself would do it: in its own table if it has one, else as a bare event."""

from typing import Any
from uuid import UUID

from django.db.models import Model

from recommendation_service.errors import Gone, InvalidInput, NotFound
from tandem.event_sync import Mirror, MirrorError, mirror_of
from tandem.models import Feedback
from tandem.selectors.items import items_by_id
from tandem.services.feedback import give_feedback
from tandem.services.record_interactions import record_interactions
from tandem.sources import ItemSource

INVALID_REQUEST_ID = "request_id must be a UUID"


def do(source: type[ItemSource], person: Any, event: str, item_id: str, request_id: str | None) -> str:
    """Record one click; what went wrong, in words, or empty when it was recorded."""
    item = items_by_id(source=source, item_ids=[item_id]).get(item_id)
    try:
        shown = UUID(request_id) if request_id else None
    except ValueError:
        return INVALID_REQUEST_ID
    if item is None:
        return f"item_id is not an item of {source.catalogue}"
    try:
        if source.act(person=person, event=event, item=item, request_id=shown) or _in_own_table(
            source, person, event, item, shown
        ):
            return ""
    except (InvalidInput, NotFound, Gone) as error:
        return error.message
    return _bare(source, person, event, item_id, request_id)


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


def _in_own_table(source: type[ItemSource], person: Any, event: str, item: Any, request_id: UUID | None) -> bool:
    """Whether a row of the event's own table says it now; a row that was there already is enough."""
    model = source.events.get(event)
    if model is None:
        return False
    try:
        mirror = mirror_of(source, event, model)
    except MirrorError:
        return False  # `manage.py check` speaks about it
    if not _needs_no_more(mirror, model):
        return False
    more = {"request_id": request_id} if _has(model, "request_id") else {}
    model._default_manager.get_or_create(**{mirror.item: item, mirror.user: person}, defaults=more)
    return True


def _needs_no_more(mirror: Mirror, model: type[Model]) -> bool:
    """Whether a row can be made of an item and a person alone."""
    given = {mirror.item, mirror.user}
    left = [field for field in model._meta.concrete_fields if field.name not in given and not field.primary_key]
    return all(field.has_default() or field.null or field.blank for field in left)


def _has(model: type[Model], name: str) -> bool:
    return any(field.name == name for field in model._meta.concrete_fields)


def _bare(source: type[ItemSource], person: Any, event: str, item_id: str, request_id: str | None) -> str:
    row = {
        "user_id": source.user_id(person),
        "item_id": item_id,
        "event": event,
        "catalogue": source.catalogue,
        "request_id": request_id,
    }
    result = record_interactions([row], source="page", known_items_only=True)[0]
    return "; ".join(error["pointer"][1:] + " " + error["detail"] for error in result.errors)
