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

    A user id that nobody has makes no row: staff may ask about any id, and asking must not fill the table.
    """
    user_id = answer["user_id"]
    try:
        with transaction.atomic():
            user = UserKey.objects.filter(user_id=user_id).values_list("pk", flat=True).first()
            if user is None:
                if place.source.person(user_id) is None:
                    return False
                user = user_keys([user_id])[user_id]
            _store(user, place, answer)
    except Error as error:
        log.warning("a shown list was not recorded: %s", type(error).__name__)
        return False
    return True


def _store(user: int, place: Place, answer: Mapping[str, Any]) -> None:
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
    )
    ImpressionItem.objects.bulk_create(
        ImpressionItem(impression=impression, item_id=keys[item["item_id"]], position=item["position"], score=item["score"])
        for item in shown
    )
