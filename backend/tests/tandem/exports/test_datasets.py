"""From the database to an export: the same on SQLite and PostgreSQL, in one snapshot."""

import io
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from recommendation_service.datasets.reader import Dataset
from tandem.exports import interactions
from tandem.exports.datasets import snapshot
from tandem.services.record_interactions import record_interactions
from tests.support.board import did, make_developer, make_startups

MOMENT = datetime(2025, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def run(command: str, folder: Path, *options: str) -> list[str]:
    out = io.StringIO()
    call_command(command, "--output", str(folder), *options, stdout=out)
    return out.getvalue().splitlines()


def put(user_id: str, item_id: Any, event: str = "like", **more: Any) -> None:
    one = {"user_id": user_id, "item_id": str(item_id), "event": event, "catalogue": "startups", "time": MOMENT, **more}
    (result,) = record_interactions([one], source="test")
    assert result.status == "accepted", result


@pytest.mark.django_db
def test_a_site_becomes_an_export(tmp_path: Path) -> None:
    startups, ada = make_startups(4), make_developer("Ada")
    put(str(ada.pk), startups[2].pk, value=2.5)
    put("u2", startups[1].pk, "apply")
    lines = run("generate_all_datasets", tmp_path)
    dataset = Dataset.open(tmp_path, "startups")
    assert dataset.user_ids.ids() == sorted([str(ada.pk), "u2"])
    (past,) = dataset.past_events(str(ada.pk))
    assert (past.item_id, past.event, past.value) == (str(startups[2].pk), "like", 2.5)
    assert past.time == pytest.approx(MOMENT.timestamp(), abs=1e-6)
    assert dataset.profile(str(ada.pk))["skills"] == ("python",)
    assert dataset.catalogue().titles[0] == "Startup 000"
    assert any(line.split()[:2] == ["interactions", "2"] for line in lines)
    assert lines[-1].startswith("next: ")


@pytest.mark.django_db
def test_batches_hold_what_the_database_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interactions, "TUPLES", 7)
    monkeypatch.setattr(interactions, "BLOCK_BYTES", 200)
    make_startups(3)
    one = [
        {
            "user_id": f"u{place % 5}",
            "item_id": f"i{place % 3}",
            "event": ("view", "like", "dismiss")[place % 3],
            "catalogue": "startups",
            "time": MOMENT.timestamp() + place,
            **({"value": float(place)} if place % 2 else {}),
        }
        for place in range(40)
    ]
    record_interactions(one, source="test")
    names = interactions.event_names(("view", "like", "apply", "invest", "dismiss"))
    found = list(interactions.events_of("startups", names))
    users, items = interactions.user_keys(), interactions.item_keys("startups")
    user_of = dict(zip(users.keys.tolist(), users.ids.tolist(), strict=True))
    item_of = dict(zip(items.keys.tolist(), items.ids.tolist(), strict=True))
    seen = sorted(
        (round(time - MOMENT.timestamp()), user_of[user], item_of[item], names[event], None if np.isnan(value) else value)
        for batch in found
        for user, item, event, value, time in zip(
            batch.users.tolist(),
            batch.items.tolist(),
            batch.events.tolist(),
            batch.values.tolist(),
            batch.times.tolist(),
            strict=True,
        )
    )
    assert len(found) > 3
    assert seen == [
        (place, did["user_id"].encode(), did["item_id"].encode(), did["event"], did.get("value"))
        for place, did in enumerate(one)
    ]


@pytest.mark.django_db
def test_a_hidden_startup_and_its_events_are_left_out(tmp_path: Path) -> None:
    startups = make_startups(3)
    put("u1", startups[0].pk)
    put("u1", startups[1].pk)
    startups[0].is_public = False
    startups[0].save()
    lines = run("generate_all_datasets", tmp_path, "--catalogue", "startups")
    assert "  left out or corrected: 1 gone items" in lines
    assert len(Dataset.open(tmp_path, "startups").events().users) == 1


@pytest.mark.django_db
def test_single_commands_make_everything_first_and_their_own_part_after(tmp_path: Path) -> None:
    startups = make_startups(3)
    put("u1", startups[0].pk)
    run("generate_als_dataset", tmp_path, "--catalogue", "startups")
    assert Dataset.open(tmp_path, "startups").events().users.size == 1
    put("u2", startups[1].pk)
    run("generate_two_tower_dataset", tmp_path, "--catalogue", "startups")
    dataset = Dataset.open(tmp_path, "startups")
    assert dataset.events().users.size == 2
    assert dataset.interactions().nnz == 1
    run("generate_als_dataset", tmp_path, "--catalogue", "startups")
    assert Dataset.open(tmp_path, "startups").interactions().nnz == 2
    run("generate_catalogue_dataset", tmp_path, "--catalogue", "startups")
    assert Dataset.open(tmp_path, "startups").version == "export_v4"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--catalogue", "nowhere"], "there are .*movies, .*startups"),
        (["--catalogue", "startups"], "startups: no items"),
        ([], "no catalogue has items"),
    ],
)
def test_a_failed_command_tells_the_fix(tmp_path: Path, options: list[str], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        run("generate_all_datasets", tmp_path, *options)


@pytest.mark.django_db
def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    make_startups(1)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CommandError, match="choose another folder with --output"):
        run("generate_all_datasets", tmp_path / "file")


@pytest.mark.django_db(transaction=True)
def test_what_is_written_during_an_export_is_not_in_it() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("needs a second writer; run with DATABASE_URL=postgres://...")
    make_startups(1)
    did("u1", "i1")

    def write() -> None:
        did("u2", "i2")
        connections.close_all()

    with snapshot():
        before = interactions.user_keys()
        writer = threading.Thread(target=write)
        writer.start()
        writer.join()
        events = sum(batch.users.size for batch in interactions.events_of("startups", interactions.event_names(("like",))))
        assert (before.keys.size, interactions.user_keys().keys.size, events) == (1, 1, 1)
    assert interactions.user_keys().keys.size == 2


@pytest.mark.django_db(transaction=True)
def test_an_export_on_sqlite_keeps_nobody_from_writing() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("readers never lock writers out of PostgreSQL")
    usual = connection.transaction_mode
    with CaptureQueriesContext(connection) as said:
        with snapshot():
            interactions.user_keys()
        with transaction.atomic():
            interactions.user_keys()
    begun = [query["sql"] for query in said if query["sql"].startswith("BEGIN")]
    assert begun == ["BEGIN DEFERRED", f"BEGIN {usual}" if usual else "BEGIN"]
    assert connection.transaction_mode == usual
