"""Remembers which list was shown to whom, so that a later click can be joined with it."""

import logging
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.utils import Error

from recommendations.models import CatalogueKey, Impression, ImpressionItem, ItemKey, UserKey
from recommendations.places import Place

log = logging.getLogger(__name__)


def record_impression(*, place: Place, answer: Mapping[str, Any]) -> bool:
    """Store the list and its items; False when there was nobody to store it for or the database refused.

    A user id that nobody has makes no row: staff may ask about any id, and asking must not fill the table.
    """
    user_id = answer["user_id"]
    try:
        with transaction.atomic():
            user = UserKey.objects.filter(user_id=user_id).first()
            if user is None:
                if place.source.person(user_id) is None:
                    return False
                user, _ = UserKey.objects.get_or_create(user_id=user_id)
            _store(user, place, answer)
    except Error as error:
        log.warning("a shown list was not recorded: %s", type(error).__name__)
        return False
    return True


def _store(user: UserKey, place: Place, answer: Mapping[str, Any]) -> None:
    catalogue, _ = CatalogueKey.objects.get_or_create(name=place.catalogue)
    shown = answer["recommendations"]
    keys = _item_keys(catalogue, [item["item_id"] for item in shown])
    impression = Impression.objects.create(
        request_id=uuid.UUID(answer["request_id"]),
        user=user,
        catalogue=catalogue,
        use_case=answer["use_case"],
        surface=answer["surface"],
        method_used=answer["method_used"][:40],
        model_version=answer["model_version"],
        degraded=answer["degraded"],
        degradation=answer["degradation"],
        time=datetime.fromisoformat(answer["generated_at"]),
    )
    ImpressionItem.objects.bulk_create(
        ImpressionItem(impression=impression, item_id=keys[item["item_id"]], position=item["position"], score=item["score"])
        for item in shown
    )


def _item_keys(catalogue: CatalogueKey, item_ids: Sequence[str]) -> dict[str, int]:
    """The integer keys of these items, made where there is none yet."""
    known = _known_keys(catalogue, item_ids)
    missing = [item_id for item_id in item_ids if item_id not in known]
    if missing:
        ItemKey.objects.bulk_create(
            (ItemKey(catalogue=catalogue, item_id=item_id) for item_id in missing), ignore_conflicts=True
        )
        known = _known_keys(catalogue, item_ids)
    return known


def _known_keys(catalogue: CatalogueKey, item_ids: Sequence[str]) -> dict[str, int]:
    found = ItemKey.objects.filter(catalogue=catalogue, item_id__in=list(item_ids))
    return dict(found.values_list("item_id", "pk"))
