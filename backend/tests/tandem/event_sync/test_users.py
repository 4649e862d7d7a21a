"""Erased users stay erased, deleted users are forgotten or lose their name, and merged users are one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from recommendation_service.errors import InvalidInput
from tandem.event_sync import live
from tandem.event_sync.sync import sync_table
from tandem.events import Event
from tandem.models import ErasedUser, Feedback, Impression, UserInteraction, UserKey
from tandem.services.erase_user import anonymize_user, erase_user
from tandem.services.feedback import give_feedback
from tandem.services.import_files import import_interactions
from tandem.services.merge_users import merge_users
from tandem.services.record_interactions import record_interactions
from tests.library.models import Like, Order, OrderLine, Work
from tests.library.site import interactions, mirrored

MOMENT = datetime(2025, 3, 1, 12, tzinfo=UTC)
EVENTS = {"like": Event(Like)}
ORDERS = {"purchase": Event(OrderLine, user="order__user", time="order__date_placed")}
pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    return User.objects.create(username="ann")


@pytest.fixture
def bob() -> User:
    return User.objects.create(username="bob")


def like(user: User, title: str = "Work") -> Like:
    return Like.objects.create(user=user, work=Work.objects.create(title=title), created_at=MOMENT)


class TestErased:
    def test_a_sync_does_not_bring_a_user_back(self, ann: User) -> None:
        with mirrored(events=EVENTS) as mirror:
            row = like(ann)
            erase_user(user_id=str(ann.pk))
            changes = sync_table(mirror)
            row.save()
            like(ann)
        assert interactions() == []
        assert dict(changes.tally.reasons) == {"an erased user": 1}
        assert changes.tally.unexpected == 0

    def test_an_import_does_not_bring_a_user_back(self, ann: User, tmp_path: Path) -> None:
        (tmp_path / "likes.csv").write_text("user,item\ngone,1\nstays,1\n")
        erase_user(user_id="gone")
        with mirrored(events=EVENTS):
            done = import_interactions(
                tmp_path / "likes.csv", catalogue="library", mapping=["user=user", "item=item"], event="like"
            )
        assert [user for user, _, _ in interactions()] == ["stays"]
        assert (done.accepted, done.rejected) == (1, 1)

    def test_what_remains_does_not_tell_who_it_was(self, ann: User) -> None:
        erase_user(user_id="gone")
        assert "gone" not in ErasedUser.objects.get().hash
        assert not UserKey.objects.exists()

    def test_a_new_secret_key_changes_nothing_while_the_old_one_is_a_fallback(self, ann: User, settings: Any) -> None:
        erase_user(user_id=str(ann.pk))
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another-key", [settings.SECRET_KEY]
        with mirrored(events=EVENTS):
            like(ann)
        assert interactions() == []


class TestDeletedByTheSite:
    @pytest.fixture(autouse=True)
    def _accounts_are_users(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without this project's own sites, whose users are profiles."""
        monkeypatch.setattr("tandem.event_sync.deleted_users.all_sources", list)

    @pytest.mark.parametrize("events", [EVENTS, ORDERS])
    def test_a_user_is_forgotten(self, ann: User, bob: User, events: Any) -> None:
        with mirrored(events=events):
            live.connect_all()
            for user in (ann, bob):
                order = Order.objects.create(user=user, date_placed=MOMENT)
                OrderLine.objects.create(order=order, work=like(user).work)
                self.view(user)
            ann.delete()
        assert {user for user, _, _ in interactions()} == {str(bob.pk)}

    @pytest.mark.parametrize("events", [EVENTS, ORDERS])
    def test_a_user_is_anonymized(self, ann: User, settings: Any, events: Any) -> None:
        settings.TANDEM = {**settings.TANDEM, "DELETED_USERS": "anonymize"}
        with mirrored(events=events) as mirror:
            live.connect_all()
            row = like(ann)
            OrderLine.objects.create(order=Order.objects.create(user=ann, date_placed=MOMENT), work=row.work)
            self.view(ann)
            before = {(item, event) for _, item, event in interactions()}
            ann.delete()
            sync_table(mirror)
        assert {(item, event) for _, item, event in interactions()} == before
        assert len(before) == 2
        assert {user[:10] for user, _, _ in interactions()} == {"anonymous-"}

    def test_a_deletion_that_is_rolled_back_keeps_the_history(self, ann: User) -> None:
        with mirrored(events=EVENTS):
            live.connect_all()
            like(ann)
            with transaction.atomic():
                User.objects.get(pk=ann.pk).delete()
                transaction.set_rollback(True)
            like(ann, "Another")
        assert len(interactions()) == 2

    def view(self, user: User) -> None:
        row = {"user_id": str(user.pk), "item_id": "9", "event": "view", "catalogue": "library"}
        assert record_interactions([row], source="test")[0].status == "accepted"


class TestMerged:
    def test_a_history_moves_and_later_events_follow(self, ann: User, bob: User) -> None:
        with mirrored(events=EVENTS) as mirror:
            like(ann)
            like(bob)
            assert merge_users(str(ann.pk), str(bob.pk)) == 1
            changes = sync_table(mirror)
            assert (changes.added, changes.changed, changes.removed) == (0, 0, 0)
            like(ann, "Later")
            assert {user for user, _, _ in interactions()} == {str(bob.pk)}
            assert len(interactions()) == 3
        assert not UserKey.objects.filter(user_id=str(ann.pk)).exists()

    def test_lists_and_the_newer_verdicts_move(self, ann: User, bob: User) -> None:
        works = [Work.objects.create(title=str(number)) for number in range(3)]
        with mirrored(events=EVENTS):
            verdicts = [
                ("ann", 0, "hide"),
                ("bob", 0, "helpful"),
                ("bob", 1, "helpful"),
                ("ann", 1, "hide"),
                ("ann", 2, "hide"),
            ]
            for second, (user, work, verdict) in enumerate(verdicts):
                item_id = str(works[work].pk)
                feedback, _ = give_feedback(user_id=user, catalogue="library", item_id=item_id, verdict=verdict)
                Feedback.objects.filter(pk=feedback.pk).update(time=MOMENT + timedelta(seconds=second))
            ann_key = UserKey.objects.get(user_id="ann")
            Impression.objects.create(
                request_id="12345678123456781234567812345678", user=ann_key, catalogue=feedback.item.catalogue,
                use_case="library", surface="list", method_used="als",
            )  # fmt: skip
            merge_users("ann", "bob")
        kept = Feedback.objects.filter(user__user_id="bob").order_by("item")
        assert list(kept.values_list("verdict", flat=True)) == ["helpful", "hide", "hide"]
        assert Impression.objects.get().user.user_id == "bob"

    def test_a_chain_of_merges_leads_to_the_last_user(self) -> None:
        with mirrored(events=EVENTS):
            merge_users("visitor", "first")
            merge_users("first", "second")
            record_interactions(
                [{"user_id": "visitor", "item_id": "1", "event": "like", "catalogue": "library"}], source="test"
            )
            assert [user for user, _, _ in interactions()] == ["second"]
            merge_users("second", "visitor")
            assert [user for user, _, _ in interactions()] == ["visitor"]

    def test_an_erased_user_takes_the_merged_ids_along(self, ann: User) -> None:
        with mirrored(events=EVENTS) as mirror:
            like(ann)
            merge_users(str(ann.pk), "member")
            erase_user(user_id="member")
            sync_table(mirror)
        assert not UserInteraction.objects.exists()

    @pytest.mark.parametrize(("from_", "to"), [("a", "a"), ("", "a"), ("a", "a\u202eb")])
    def test_ids_must_be_two_ids(self, from_: str, to: str) -> None:
        with pytest.raises(InvalidInput):
            merge_users(from_, to)


def test_anonymizing_an_unknown_user_does_nothing() -> None:
    assert anonymize_user(user_id="nobody-knows") is False
