"""Shown lists leave the database with what answered them, in the database's own keys, and the erased leave with them."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from recommendation_service.datasets.impressions import Shown
from recommendation_service.datasets.reader import Dataset
from tandem.exports import impressions as exported
from tandem.models import Impression, ImpressionItem, UserInteraction
from tandem.services.erase_user import erase_user
from tandem.services.id_mapping import catalogue_key, item_keys, user_keys
from tandem.services.record_interactions import record_interactions
from tests.support.board import make_startups

MOMENT = datetime(2025, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
FIRST = tuple(str(uuid.UUID(int=place + 1)) for place in range(4))

pytestmark = pytest.mark.django_db


def show(
    user_id: str | None,
    item_ids: tuple[str, ...] = FIRST,
    *,
    minutes: int = 0,
    surface: str = "for-developer",
    parts: dict[str, float] | None = None,
    use_case: str = "startups",
) -> str:
    """Store one shown list as the site does; items of falling scores."""
    catalogue = catalogue_key("startups")
    keys = item_keys(catalogue, list(item_ids))
    user = None if user_id is None else user_keys([user_id])[user_id]
    impression = Impression.objects.create(
        request_id=uuid.uuid4(),
        user_id=user,
        catalogue_id=catalogue,
        use_case=use_case,
        surface=surface,
        method_used="als",
        time=MOMENT + timedelta(minutes=minutes),
    )
    ImpressionItem.objects.bulk_create(
        ImpressionItem(impression=impression, item_id=keys[one], position=place + 1, score=1 - place / 4, parts=parts or {})
        for place, one in enumerate(item_ids)
    )
    return str(impression.request_id)


def answer(user_id: str, item_id: str, request_id: str, event: str = "like") -> None:
    row: dict[str, Any] = {
        "user_id": user_id,
        "item_id": item_id,
        "event": event,
        "catalogue": "startups",
        "time": MOMENT + timedelta(hours=1),
        "event_id": str(uuid.uuid4()),
    }
    (result,) = record_interactions([row], source="test")
    assert result.status == "accepted", result
    UserInteraction.objects.filter(event_id=row["event_id"]).update(request_id=request_id)  # past the door's own check


def export(folder: Path, command: str = "generate_all_datasets") -> Dataset:
    call_command(command, "--output", str(folder), verbosity=0)
    return Dataset.open(folder, "startups")


def shown_in(dataset: Dataset) -> Shown:
    found = dataset.shown()
    assert found is not None
    return found


def items_of(dataset: Dataset, place: int) -> list[str]:
    found, ids = shown_in(dataset), dataset.catalogue().ids
    return [ids.id(int(row)) for row in found.items[found.indptr[place] : found.indptr[place + 1]]]


def test_a_list_and_its_answers_become_rows(tmp_path: Path) -> None:
    make_startups(4)
    second = show("u1", FIRST[::-1], minutes=5, surface="for-investor", parts={"als": 0.5})
    first = show("u2", minutes=1)
    for item, event in ((FIRST[2], "view"), (FIRST[2], "apply"), (FIRST[0], "dismiss")):
        answer("u1", item, second, event)
    answer("u2", FIRST[1], first, "like")
    dataset = export(tmp_path)
    found = shown_in(dataset)
    assert [dataset.user_ids.id(int(row)) for row in found.list_users] == ["u2", "u1"]
    assert found.list_times.tolist() == [(MOMENT + timedelta(minutes=minutes)).timestamp() for minutes in (1, 5)]
    assert [found.surfaces()[place] for place in found.list_surfaces] == ["for-developer", "for-investor"]
    assert items_of(dataset, 1) == list(FIRST[::-1])
    assert found.positions.tolist() == [1, 2, 3, 4] * 2
    assert found.labels.tolist() == [0, 3, 0, 0, 0, 5, 0, -3]
    assert found.parts_of(3, 5) == [{}, {"als": 0.5}]
    assert dataset.summary["shown"] == {"lists": 2, "items": 8, "answered": 2}


def test_a_list_for_nobody_takes_everybodys_answers_and_a_persons_list_only_their_own(tmp_path: Path) -> None:
    make_startups(4)
    open_list, own = show(None), show("u1", minutes=1)
    answer("u1", FIRST[0], open_list)
    answer("u2", FIRST[1], open_list)
    answer("u2", FIRST[2], own, "apply")
    found = shown_in(export(tmp_path))
    assert found.list_users[0] == -1
    assert found.labels.tolist() == [3, 3, 0, 0, 0, 0, 0, 0]


def test_only_the_newest_lists_of_this_use_case_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exported, "TUPLES", 3)
    monkeypatch.setattr("recommendation_service.datasets.impressions.gather_shown.__kwdefaults__", {"most": 3})
    make_startups(4)
    for minutes in range(5):
        answer("u1", FIRST[minutes % 4], show("u1", minutes=minutes))
    show("u1", minutes=9, use_case="another")
    found = shown_in(export(tmp_path))
    assert found.list_times.tolist() == [(MOMENT + timedelta(minutes=minutes)).timestamp() for minutes in (2, 3, 4)]
    assert found.labels.reshape(3, 4).argmax(axis=1).tolist() == [2, 3, 0]


def test_the_erased_leave_the_lists_also_when_only_a_part_is_exported(tmp_path: Path) -> None:
    make_startups(4)
    for user_id in ("u1", "u2"):
        answer(user_id, FIRST[0], show(user_id))
    assert len(shown_in(export(tmp_path))) == 2
    erase_user(user_id="u1")
    dataset = export(tmp_path, "generate_als_dataset")
    (row,) = shown_in(dataset).list_users
    assert dataset.user_ids.id(int(row)) == "u2"


def test_a_catalogue_that_nobody_was_shown_has_no_lists(tmp_path: Path) -> None:
    make_startups(2)
    assert len(shown_in(export(tmp_path))) == 0
