"""Whole histories are removed whole or not at all."""

import uuid
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone

from tandem.models import Feedback, Impression, ItemKey, UserInteraction, UserKey
from tandem.services import bulk_load
from tandem.services.bulk_load import Happened, Shown


def write() -> None:
    now = timezone.now()
    bulk_load.write_past(catalogue="startups", events=[Happened(uuid.uuid4(), "u1", "a", "like", now)])
    bulk_load.write_shown(
        catalogue="startups", use_case="startups", lists=[Shown(uuid.uuid4(), "u1", "for-developer", "als", now, [("a", 1.0)])]
    )
    Feedback.objects.create(user=UserKey.objects.get(), item=ItemKey.objects.get(), verdict=Feedback.Verdict.HIDE)


@pytest.mark.django_db
def test_a_catalogues_history_is_removed_and_its_keys_stay() -> None:
    write()
    assert bulk_load.forget_past(catalogue="startups") == 1
    assert not Feedback.objects.exists()
    assert not Impression.objects.exists()
    assert ItemKey.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_failure_half_way_removes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    write()

    def fail(*_: Any, **__: Any) -> None:
        raise DatabaseError("the connection is lost")

    monkeypatch.setattr(UserInteraction.objects, "filter", fail)
    with pytest.raises(DatabaseError):
        bulk_load.forget_past(catalogue="startups")
    assert (Feedback.objects.count(), Impression.objects.count()) == (1, 1)
