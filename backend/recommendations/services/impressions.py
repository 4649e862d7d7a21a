"""Remembers which list was shown to whom, so that a later click can be joined with it."""

import logging
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.utils import Error

from recommendations.models import Impression, ImpressionItem, UserKey
from recommendations.places import Place
from recommendations.services.keys import catalogue_key, item_keys, user_keys

log = logging.getLogger(__name__)


def record_impression(*, place: Place, answer: Mapping[str, Any]) -> bool:
    """Store the list and its items; False when there was nobody to store it for or the database refused.

    A user id that nobody has makes no row: staff may ask about any id, and asking must not fill the table. A list for
    nobody in particular is stored without a user.
    """
    try:
        with transaction.atomic():
            user = _user_key(place, answer["user_id"])
            if user is None and answer["user_id"] is not None:
                return False
            _store(user, place, answer)
    except Error as error:
        log.warning("a shown list was not recorded: %s", type(error).__name__)
        return False
    return True


def _user_key(place: Place, user_id: str | None) -> int | None:
    if user_id is None:
        return None
    known = UserKey.objects.filter(user_id=user_id).values_list("pk", flat=True).first()
    if known is None and place.source.person(user_id) is not None:
        known = user_keys([user_id])[user_id]
    return known


def _store(user: int | None, place: Place, answer: Mapping[str, Any]) -> None:
    catalogue = catalogue_key(place.catalogue)
    shown = answer["recommendations"]
    keys = item_keys(catalogue, [item["item_id"] for item in shown])
    impression = Impression.objects.create(
        request_id=uuid.UUID(answer["request_id"]),
        user_id=user,
        catalogue_id=catalogue,
        use_case=answer["use_case"],
        surface=answer["surface"],
        method_used=answer["method_used"][:40],
        model_version=answer["model_version"],
        degraded=answer["degraded"],
        degradation=answer["degradation"],
        probabilities=answer["probabilities"],
    )
    ImpressionItem.objects.bulk_create(
        ImpressionItem(
            impression=impression,
            item_id=keys[item["item_id"]],
            position=item["position"],
            score=item["score"],
            parts=item["parts"] if place.keeps_parts else {},
        )
        for item in shown
    )
