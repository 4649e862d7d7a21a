"""Event tables of the shapes that real sites have: mirrored as they change, and mended by a sync."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from tandem.event_sync.sync import sync_table
from tandem.events import Event
from tandem.models import UserInteraction
from tests.library.models import (
    Edition,
    Film,
    Like,
    Loan,
    Order,
    OrderLine,
    Person,
    RatedReview,
    Review,
    ReviewProxy,
    Shelf,
    ShelfBook,
    Tagging,
    Vote,
    Work,
)
from tests.library.site import interactions, mirrored

MOMENT = datetime(2025, 3, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    return User.objects.create(username="ann")


@pytest.fixture
def bob() -> User:
    return User.objects.create(username="bob")


@pytest.fixture
def works() -> list[Work]:
    return [Work.objects.create(title=f"Work {number}") for number in range(3)]


def did(user: User, work: Work, event: str) -> tuple[str, str, str]:
    return str(user.pk), str(work.pk), event


def sync(mirror: Any) -> tuple[int, int, int]:
    changes = sync_table(mirror)
    return changes.added, changes.changed, changes.removed


PURCHASE = {"purchase": Event(OrderLine, user="order__user", time="order__date_placed", gone=Q(order__status="cancelled"))}


def bought(user: User | None, work: Work) -> OrderLine:
    return OrderLine.objects.create(order=Order.objects.create(user=user, date_placed=MOMENT), work=work)


class TestAUserOneRelationAway:
    def test_is_mirrored_with_the_time_of_the_order(self, ann: User, works: list[Work]) -> None:
        with mirrored(events=PURCHASE):
            bought(ann, works[0])
        assert interactions() == [did(ann, works[0], "purchase")]
        assert UserInteraction.objects.get().time == MOMENT

    def test_of_another_order_is_another_user(self, ann: User, bob: User, works: list[Work]) -> None:
        with mirrored(events=PURCHASE):
            line = bought(ann, works[0])
            line.order.user = bob
            line.order.save()
        assert interactions() == [did(bob, works[0], "purchase")]

    def test_that_sql_changed_is_mended_by_a_sync(self, ann: User, bob: User, works: list[Work]) -> None:
        with mirrored(events=PURCHASE) as mirror:
            bought(ann, works[0])
            Order.objects.update(user=bob)
            assert interactions() == [did(ann, works[0], "purchase")]
            assert sync(mirror) == (0, 1, 0)
            assert sync(mirror) == (0, 0, 0)
        assert interactions() == [did(bob, works[0], "purchase")]

    def test_of_a_cancelled_order_is_gone_and_comes_back(self, ann: User, works: list[Work]) -> None:
        with mirrored(events=PURCHASE):
            line = bought(ann, works[0])
            line.order.status = "cancelled"
            line.order.save()
            assert interactions() == []
            line.order.status = "paid"
            line.order.save()
        assert interactions() == [did(ann, works[0], "purchase")]

    def test_that_is_null_is_nobody(self, works: list[Work]) -> None:
        with mirrored(events=PURCHASE) as mirror:
            bought(None, works[0])
            changes = sync_table(mirror)
        assert interactions() == []
        assert dict(changes.tally.reasons) == {"no user": 1}
        assert changes.tally.unexpected == 0

    def test_that_is_deleted_is_forgotten(self, ann: User, works: list[Work]) -> None:
        with mirrored(events=PURCHASE):
            bought(ann, works[0])
            ann.delete()
        assert interactions() == []

    def test_of_an_item_that_is_deleted_is_forgotten(self, ann: User, works: list[Work]) -> None:
        with mirrored(events=PURCHASE):
            bought(ann, works[0])
            works[0].delete()
        assert interactions() == []

    def test_of_a_deleted_order_is_gone(self, ann: User, works: list[Work]) -> None:
        with mirrored(events=PURCHASE):
            bought(ann, works[0]).order.delete()
        assert interactions() == []


class TestAnItemOneRelationAway:
    EVENTS = {"lend": Event(Loan, item="edition__parent_work", time="day")}

    def test_is_the_work_of_the_edition(self, ann: User, works: list[Work]) -> None:
        with mirrored(events=self.EVENTS):
            Loan.objects.create(edition=Edition.objects.create(parent_work=works[1]), user=ann, day=date(2025, 3, 1))
        assert interactions() == [did(ann, works[1], "lend")]
        assert UserInteraction.objects.get().time == datetime(2025, 3, 1, tzinfo=UTC)

    def test_follows_an_edition_that_moves_to_another_work(self, ann: User, works: list[Work]) -> None:
        with mirrored(events=self.EVENTS):
            edition = Edition.objects.create(parent_work=works[1])
            Loan.objects.create(edition=edition, user=ann, day=date(2025, 3, 1))
            edition.parent_work = works[2]
            edition.save()
        assert interactions() == [did(ann, works[2], "lend")]

    @pytest.mark.parametrize(
        "item", [lambda loan: loan.edition.parent_work, lambda loan: loan.edition.parent_work_id, F("edition__parent_work")]
    )
    def test_may_be_a_function_or_an_expression(self, ann: User, works: list[Work], item: Any) -> None:
        with mirrored(events={"lend": Event(Loan, item=item, time="day")}) as mirror:
            Loan.objects.create(edition=Edition.objects.create(parent_work=works[1]), user=ann, day=date(2025, 3, 1))
            assert sync(mirror) == (0, 0, 0)
        assert interactions() == [did(ann, works[1], "lend")]

    def test_a_function_that_raises_loses_its_row_only(self, ann: User, works: list[Work]) -> None:
        def item(loan: Loan) -> Any:
            return loan.edition.parent_work if loan.day.year == 2025 else 1 / 0

        with mirrored(events={"lend": Event(Loan, item=item, time="day")}) as mirror:
            edition = Edition.objects.create(parent_work=works[1])
            for year in (2024, 2025):
                Loan.objects.create(edition=edition, user=ann, day=date(year, 3, 1))
            changes = sync_table(mirror)
        assert interactions() == [did(ann, works[1], "lend")]
        assert changes.tally.unexpected == 1
        assert "ZeroDivisionError" in changes.tally.lines()[0]


class TestSeveralEventsInOneTable:
    EVENTS = {
        "shelf": Event(
            ShelfBook,
            item="edition__parent_work",
            time="added_ms",
            event="shelf__identifier",
            event_map={"to-read": "want", "read": "finish"},
        )
    }

    def put(self, user: User, work: Work, identifier: str) -> ShelfBook:
        shelf, _ = Shelf.objects.get_or_create(identifier=identifier)
        edition = Edition.objects.create(parent_work=work)
        return ShelfBook.objects.create(shelf=shelf, edition=edition, user=user, added_ms=MOMENT.timestamp() * 1000)

    def test_are_told_apart_by_a_column(self, ann: User, works: list[Work]) -> None:
        with mirrored(events=self.EVENTS):
            for work, identifier in zip(works, ("to-read", "read", "stopped"), strict=True):
                self.put(ann, work, identifier)
        assert interactions() == [did(ann, works[0], "want"), did(ann, works[1], "finish")]
        assert {row.time for row in UserInteraction.objects.all()} == {MOMENT}

    def test_a_row_that_moves_is_the_other_event(self, ann: User, works: list[Work]) -> None:
        with mirrored(events=self.EVENTS) as mirror:
            book = self.put(ann, works[0], "to-read")
            book.shelf = Shelf.objects.create(identifier="read")
            book.save()
            assert interactions() == [did(ann, works[0], "finish")]
            book.shelf.identifier = "stopped"
            book.shelf.save()
            assert interactions() == []
            Shelf.objects.update(identifier="to-read")
            assert sync(mirror) == (1, 0, 0)
        assert interactions() == [did(ann, works[0], "want")]

    def test_may_be_declared_one_by_one(self, ann: User, works: list[Work]) -> None:
        event = Event(
            ShelfBook, item="edition__parent_work", time="added_ms", event="want", when=Q(shelf__identifier="to-read")
        )
        with mirrored(events=[event]):
            book = self.put(ann, works[0], "to-read")
            self.put(ann, works[1], "read")
            assert interactions() == [did(ann, works[0], "want")]
            book.shelf = Shelf.objects.get(identifier="read")
            book.save()
        assert interactions() == []


class TestManyToMany:
    EVENTS = {"save": Event(Person.saved.through, user="person__account")}

    @pytest.fixture
    def person(self, ann: User) -> Person:
        return Person.objects.create(account=ann)

    @pytest.mark.parametrize(
        "change",
        [
            lambda person, works: person.saved.add(*works[:2]),
            lambda person, works: person.saved.set(works[:2]),
            lambda person, works: [work.person_set.add(person) for work in works[:2]],
        ],
    )
    def test_what_is_added_is_mirrored(self, person: Person, works: list[Work], change: Callable[..., Any]) -> None:
        with mirrored(events=self.EVENTS) as mirror:
            change(person, works)
            assert interactions() == [did(person.account, work, "save") for work in works[:2]]
            assert sync(mirror) == (0, 0, 0)

    @pytest.mark.parametrize(
        "change",
        [
            lambda person, works: person.saved.remove(works[0]),
            lambda person, works: person.saved.set(works[1:2]),
            lambda person, works: works[0].person_set.clear(),
            lambda person, works: works[0].person_set.remove(person),
            lambda person, works: works[0].delete(),
        ],
    )
    def test_what_is_removed_is_forgotten(self, person: Person, works: list[Work], change: Callable[..., Any]) -> None:
        with mirrored(events=self.EVENTS):
            person.saved.add(*works[:2])
            change(person, works)
        assert interactions() == [did(person.account, works[1], "save")]

    @pytest.mark.parametrize("change", [lambda person: person.saved.clear(), lambda person: person.delete()])
    def test_all_may_be_removed(self, person: Person, works: list[Work], change: Callable[..., Any]) -> None:
        with mirrored(events=self.EVENTS):
            person.saved.add(*works)
            change(person)
        assert interactions() == []

    def test_a_sync_keeps_the_time_of_what_has_none(self, person: Person, works: list[Work]) -> None:
        with mirrored(events=self.EVENTS) as mirror:
            person.saved.add(works[0])
            UserInteraction.objects.update(time=MOMENT)
            assert sync(mirror) == (0, 0, 0)
        assert UserInteraction.objects.get().time == MOMENT

    def test_a_table_of_the_sites_own_is_mirrored_once(self, person: Person, works: list[Work]) -> None:
        with mirrored(events={"tag": Event(Person.tagged, user="person__account")}) as mirror:
            person.tagged.add(works[0], through_defaults={"created_at": MOMENT})
            Tagging.objects.create(person=person, work=works[1], created_at=MOMENT)
            assert interactions() == [did(person.account, work, "tag") for work in works[:2]]
            Tagging.objects.all().delete()
            assert interactions() == []
            assert mirror.model is Tagging


class TestAGenericForeignKey:
    EVENTS = {"like": Event(Vote, item="target", time="voted")}

    def test_of_another_kind_is_no_interaction(self, ann: User, works: list[Work]) -> None:
        film = Film.objects.create(pk=works[0].pk, title="Film")
        with mirrored(events=self.EVENTS) as mirror:
            Vote.objects.create(target=film, user=ann, voted="2025-03-01T12:00:00Z")
            assert interactions() == []
            vote = Vote.objects.create(target=works[1], user=ann, voted="2025-03-01 12:00:00+00:00")
            assert interactions() == [did(ann, works[1], "like")]
            assert UserInteraction.objects.get().time == MOMENT
            assert sync(mirror) == (0, 0, 0)
            vote.target = film
            vote.save()
        assert interactions() == []

    def test_is_the_id_of_the_catalogue_where_that_is_another_field(self, ann: User) -> None:
        work = Work.objects.create(title="Work", slug="the-work")
        with mirrored(events=self.EVENTS, item_id="slug"):
            Vote.objects.create(target=work, user=ann, voted="2025-03-01T12:00:00Z")
        assert interactions() == [(str(ann.pk), "the-work", "like")]

    def test_in_two_catalogues_are_two_interactions(self, ann: User, works: list[Work]) -> None:
        film = Film.objects.create(pk=works[0].pk, title="Film")
        with mirrored(events=self.EVENTS, catalogue="films", queryset=Film.objects.all()), mirrored(events=self.EVENTS):
            Vote.objects.create(target=film, user=ann, voted="2025-03-01T12:00:00Z")
            Vote.objects.create(target=works[0], user=ann, voted="2025-03-01T12:00:00Z")
        assert sorted(UserInteraction.objects.values_list("catalogue__name", flat=True)) == ["films", "library"]


class TestMultiTableInheritance:
    def make(self, model: Any, user: User, work: Work, **more: Any) -> Any:
        return model.objects.create(user=user, work=work, published=MOMENT, **more)

    def test_rows_of_the_subclass_and_of_proxies_are_mirrored(self, ann: User, works: list[Work]) -> None:
        with mirrored(events={"review": Event(Review, time="published")}):
            rated = self.make(RatedReview, ann, works[0], rating="4.5")
            self.make(ReviewProxy, ann, works[1])
            assert interactions() == [did(ann, works[0], "review"), did(ann, works[1], "review")]
            rated.delete()
            assert interactions() == [did(ann, works[1], "review")]

    def test_a_decimal_rating_is_a_value_and_the_parent_row_counts(self, ann: User, works: list[Work]) -> None:
        events = {"review": Event(RatedReview, time="published", value="rating", gone=Q(deleted=True))}
        with mirrored(events=events) as mirror:
            rated = self.make(RatedReview, ann, works[0], rating="4.5")
            assert UserInteraction.objects.get().value == 4.5
            parent = Review.objects.get(pk=rated.pk)
            parent.deleted = True
            parent.save()
            assert interactions() == []
            Review.objects.update(deleted=False)
            RatedReview.objects.update(rating="2.0")
            assert sync(mirror) == (1, 0, 0)
        assert UserInteraction.objects.get().value == 2.0


class TestSoftDeletion:
    EVENTS = {"like": Event(Like.everything, gone=Q(deleted_at__isnull=False), when=Q(private=False))}

    @pytest.mark.parametrize("events", [EVENTS, {"like": Event(Like.objects, when=Q(private=False))}])
    def test_deleted_and_undeleted(self, ann: User, works: list[Work], events: Any) -> None:
        with mirrored(events=events):
            like = Like.objects.create(user=ann, work=works[0], created_at=MOMENT)
            for deleted_at, private, expected in (
                (MOMENT, False, []),
                (None, False, [did(ann, works[0], "like")]),
                (None, True, []),
                (None, False, [did(ann, works[0], "like")]),
            ):
                like.deleted_at, like.private = deleted_at, private
                like.save()
                assert interactions() == expected

    def test_a_sync_mends_what_update_and_sql_did(self, ann: User, bob: User, works: list[Work]) -> None:
        with mirrored(events=self.EVENTS) as mirror:
            likes = Like.objects.bulk_create(Like(user=ann, work=work, created_at=MOMENT) for work in works)
            assert sync(mirror) == (3, 0, 0)
            Like.everything.filter(pk=likes[0].pk).update(deleted_at=MOMENT)
            Like.everything.filter(pk=likes[1].pk).update(user=bob)
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM library_like WHERE id = %s", [likes[2].pk])
            assert sync(mirror) == (0, 1, 2)
            assert interactions() == [did(bob, works[1], "like")]
            Like.everything.update(deleted_at=None)
            assert sync(mirror) == (1, 0, 0)
            assert sync(mirror) == (0, 0, 0)


def test_interactions_of_other_origins_are_left_alone(ann: User, works: list[Work]) -> None:
    from tandem.services.record_interactions import record_interactions

    with mirrored(events=PURCHASE) as mirror:
        row = {"user_id": str(ann.pk), "item_id": str(works[0].pk), "event": "purchase", "catalogue": "library"}
        record_interactions([row], source="test")
        assert sync(mirror) == (0, 0, 0)
        assert len(interactions()) == 1


def test_a_user_may_be_an_expression(ann: User, bob: User, works: list[Work]) -> None:
    events = {"purchase": Event(OrderLine, user=Coalesce("order__user__reader", "order__user"), time="order__date_placed")}
    with mirrored(events=events):
        bought(ann, works[0])
    assert interactions() == [did(ann, works[0], "purchase")]


def test_a_time_that_cannot_be_read_is_refused_with_an_example(ann: User, works: list[Work]) -> None:
    with mirrored(events={"like": Event(Vote, item="target", time="voted")}) as mirror:
        Vote.objects.create(target=works[0], user=ann, voted="some day")
        changes = sync_table(mirror)
    assert interactions() == []
    assert (changes.tally.unexpected, "'some day' is not a time" in changes.tally.lines()[0]) == (1, True)


def test_a_time_in_the_future_is_the_moment_of_mirroring_and_a_sync_keeps_it(ann: User, works: list[Work]) -> None:
    with mirrored(events={"buy": Event(OrderLine, user="order__user", time="order__date_placed")}) as mirror:
        ahead = datetime.now(UTC) + timedelta(hours=3)
        OrderLine.objects.create(order=Order.objects.create(user=ann, date_placed=ahead), work=works[0])
        sync_table(mirror)
        assert UserInteraction.objects.get().time <= datetime.now(UTC)
        assert sync_table(mirror).changed == 0
