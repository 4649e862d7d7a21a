"""Accounts that act like bots: found, kept out of what others see, still served, and released."""

import uuid
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from recommendation_service.datasets.reader import Dataset
from tandem.models import Impression, ImpressionItem, Quarantine, UserInteraction
from tandem.selectors.history import history_of
from tandem.selectors.impressions import ListQuery, answered
from tandem.selectors.popular import forget_ranking, popular_ids
from tandem.selectors.statistics import Window, totals
from tandem.services.id_mapping import catalogue_key, event_keys, item_keys, user_keys
from tandem.services.record_interactions import record_interactions
from tandem.surfaces import bound_surface
from tandem.trust.quarantine import check_velocity, quarantine, release
from tests.support.board import make_startups

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC).replace(minute=30) - timedelta(hours=1)


@pytest.fixture
def startup_id() -> str:
    """The bot's favourite, viewed 700 times in one hour; an honest user viewed it once."""
    (startup,) = make_startups(1)
    rows = [{"user_id": "bot", "event": "view", "time": NOW - timedelta(seconds=second)} for second in range(700)]
    rows += [{"user_id": "u1", "event": "view", "time": NOW}]
    known = {"item_id": str(startup.pk), "catalogue": "startups"}
    record_interactions([{**row, **known} for row in rows], source="test")
    forget_ranking()
    return str(startup.pk)


def popular() -> list[tuple[str, float]]:
    return popular_ids(bound_surface("startups", "for-developer"))


def quarantined() -> list[str]:
    return list(Quarantine.objects.filter(released=None).values_list("user__user_id", flat=True))


def test_a_bot_does_not_count_for_others_until_it_is_released(startup_id: str) -> None:
    assert popular() == [(startup_id, 2.0)]
    assert [entry.user.user_id for entry in check_velocity()] == quarantined() == ["bot"]
    assert popular() == [(startup_id, 1.0)]
    assert len(history_of(user_id="bot", catalogue="startups")[0]) > 0
    assert release("bot")
    assert popular() == [(startup_id, 2.0)]
    assert check_velocity() == []
    assert quarantined() == []


def test_old_events_such_as_those_of_an_import_are_left_alone(startup_id: str) -> None:
    UserInteraction.objects.update(time=NOW - timedelta(days=30))
    assert check_velocity() == []


def test_an_export_looks_for_bots_and_leaves_their_events_out(startup_id: str, tmp_path: Path) -> None:
    out = StringIO()
    call_command("generate_all_datasets", catalogue=["startups"], output=tmp_path, stdout=out)
    assert "1 accounts act like bots" in out.getvalue()
    assert Dataset.open(tmp_path, "startups").catalogue().popularity.tolist() == [1.0]


def test_the_command_lists_adds_and_releases(startup_id: str) -> None:
    out = StringIO()
    call_command("quarantine", "--add", "u1", stdout=out)
    assert "u1: by staff" in out.getvalue()
    call_command("quarantine", "--release", "u1", stdout=out)
    assert quarantined() == []
    for wrong in (("--release", "u1"), ("--add", "nobody")):
        with pytest.raises(CommandError):
            call_command("quarantine", *wrong, stdout=out)


def test_the_admin_releases_and_puts_back(startup_id: str) -> None:
    quarantine("bot")
    client = Client()
    client.force_login(User.objects.create_superuser(f"root-{uuid.uuid4().hex[:6]}"))
    path = "/admin/tandem/quarantine/"
    assert "bot" in client.get(path).content.decode()
    chosen = {"_selected_action": [str(Quarantine.objects.get().pk)]}
    client.post(path, {**chosen, "action": "release_accounts"})
    assert quarantined() == []
    client.post(path, {**chosen, "action": "quarantine_again"})
    assert quarantined() == ["bot"]


def shown(user_id: str | None, item_id: str) -> uuid.UUID:
    """A list of one item, shown an hour ago; without a user, anybody's events answer it."""
    key, request_id = catalogue_key("startups"), uuid.uuid4()
    user = None if user_id is None else user_keys([user_id])[user_id]
    impression = Impression.objects.create(
        request_id=request_id, user_id=user, catalogue_id=key, use_case="startups", surface="for-developer",
        method_used="popular", time=NOW,
    )  # fmt: skip
    ImpressionItem.objects.create(impression=impression, item_id=item_keys(key, [item_id])[item_id], position=1, score=1.0)
    return request_id


def test_lists_and_events_of_a_bot_are_in_no_statistics_and_no_export_of_lists(startup_id: str, tmp_path: Path) -> None:
    lists = {who: shown(None if who == "anyone" else who, startup_id) for who in ("bot", "u1", "anyone")}
    for user, answers in (("bot", "bot"), ("u1", "u1"), ("bot", "anyone")):
        UserInteraction.objects.create(
            user_id=user_keys([user])[user], item_id=item_keys(catalogue_key("startups"), [startup_id])[startup_id],
            catalogue_id=catalogue_key("startups"), kind_id=event_keys(["like"])["like"], request_id=lists[answers], time=NOW,
        )  # fmt: skip
    window = Window.last(3, until=NOW + timedelta(hours=1))
    figures = totals(use_case="startups", window=window)
    assert (figures.lists, figures.clicks + figures.conversions > 0) == (3, True)
    before = answered(ListQuery("startups", window), "all", [{"like"}])[""].reached
    quarantine("bot")
    assert totals(use_case="startups", window=window).lists == 2
    assert (before, answered(ListQuery("startups", window), "all", [{"like"}])[""].reached) == ((3,), (1,))
    assert answered(ListQuery("startups", window, user_id="bot"), "all", [{"like"}])[""].reached == (1,)
    call_command("generate_all_datasets", catalogue=["startups"], output=tmp_path, stdout=StringIO())
    recorded = Dataset.open(tmp_path, "startups").shown()
    assert recorded is not None
    assert (len(recorded), int(recorded.answered().sum())) == (2, 1)
    assert release("bot")
    assert totals(use_case="startups", window=window).lists == 3
