"""`manage.py check_events`: what every row of the declared tables is; and what `manage.py check` knows without reading rows."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db.models import F, Q

from sites.startups.models import Developer
from tandem import sources
from tandem.checks import problems_of
from tandem.event_sync.sync import sync_table
from tandem.events import Event
from tandem.models import UserInteraction
from tests.library.models import Like, Loan, Order, OrderLine, Person, RatedReview, Review, ShelfBook, Vote, Work
from tests.library.site import declared, mirrored

MOMENT = datetime(2025, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_registry", {})


def checked() -> str:
    out = io.StringIO()
    call_command("check_events", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_rows_become_interactions_and_the_others_have_a_reason(registry: None) -> None:
    ann, work = User.objects.create(username="ann"), Work.objects.create(title="Work")
    events = {"purchase": Event(OrderLine, user="order__user", time="order__date_placed", gone=Q(order__status="cancelled"))}
    with mirrored(events=events, queryset=Work.objects.exclude(title="Hidden")) as mirror:
        order = Order.objects.create(user=ann, date_placed=MOMENT)
        lines = OrderLine.objects.bulk_create(OrderLine(order=order, work=work) for _ in range(3))
        hidden = Work.objects.create(title="Hidden")
        OrderLine.objects.bulk_create([OrderLine(order=order, work=hidden), OrderLine(order=order, work=None)])
        cancelled = Order.objects.create(user=ann, date_placed=MOMENT, status="cancelled")
        anonymous = Order.objects.create(date_placed=MOMENT)
        OrderLine.objects.bulk_create([OrderLine(order=cancelled, work=work), OrderLine(order=anonymous, work=work)])
        first, *others = checked().splitlines()
        assert first == "library.purchase: 7 rows -> 4 interactions, 1 unknown items, 0 refused"
        assert others == [
            f"  1 with an item that the catalogue does not have (such as {hidden.pk})",
            "  1 left out by `when` or `gone`",
            f"  1 with no item (such as OrderLine {lines[-1].pk + 2})",
            f"  1 with no user (such as OrderLine {lines[-1].pk + 4})",
            "  0 are mirrored so far; run manage.py sync_interactions",
        ]
        assert not UserInteraction.objects.exists()
        sync_table(mirror)
        assert "so far" not in checked()


@pytest.mark.django_db
def test_refused_rows_are_an_error_with_an_example(registry: None) -> None:
    ann, work = User.objects.create(username="ann"), Work.objects.create(title="Work")
    with mirrored(events={"like": Event(Vote, item="target", time="voted")}):
        Vote.objects.create(target=work, user=ann, voted="1066-10-14")
        Vote.objects.create(target=work, user=ann, voted="yesterday")
        out = io.StringIO()
        with pytest.raises(CommandError, match=r"rows are refused in library\.like"):
            call_command("check_events", stdout=out)
    assert "2 rows -> 0 interactions, 0 unknown items, 2 refused" in out.getvalue()
    assert "'yesterday' is not a time" in out.getvalue()
    assert "must lie between 1990 and now" in out.getvalue()


@pytest.mark.django_db
def test_a_table_that_cannot_be_mirrored_is_an_error(registry: None) -> None:
    declared(events={"like": Event(Vote)})
    with pytest.raises(CommandError, match=r"library\.like"):
        checked()


@pytest.mark.django_db
def test_without_event_tables_the_command_names_the_guide(registry: None) -> None:
    assert "docs/guides/events.md" in checked()


@pytest.mark.parametrize(
    ("event", "problem", "fix"),
    [
        (Event(Vote), "no field that is the item", 'item="..."'),
        (Event(Loan), "no field that is the item", "edition"),
        (Event(Loan, item="edition"), "`item` is 'edition', which leads to Edition; the items are Work", "edition__"),
        (Event(Loan, item="edition__work"), "Edition has no field 'work'", "parent_work"),
        (Event(Loan, item="day__year"), "'day' is not a relation", "end the path with 'day'"),
        (Event(Person, item="saved", user="account"), "Person has many 'saved'", "declare the table"),
        (Event(Like, value="private", time="private"), "`time` is 'private', a BooleanField", "lambda"),
        (Event(Vote, item="target", value="voted"), "`value` is 'voted', a CharField; it must be a number", "lambda"),
        (Event(OrderLine, item="work", user="order"), "leads to Order; users are auth.User", "profiles"),
        (Event(Like, when=Q(removed=True)), "Cannot resolve keyword 'removed'", "Like"),
        (Event(Like, gone=Q(user__colour="red")), "colour", "Like"),
        (Event(Like, item=F("nothing")), "Cannot resolve keyword 'nothing'", "Like"),
        (Event(Vote, item="target", user="target"), "generic foreign key", "one model"),
        (Event(Like, time="work"), "`time` is 'work', which is a relation", "fields"),
        (Event(lambda: 5), "not a model, a queryset", "objects.all()"),
    ],
)
def test_what_is_wrong_with_a_declaration_is_known_without_reading_rows(
    registry: None, event: Event, problem: str, fix: str
) -> None:
    found = [each for each in problems_of(declared(events={"like": event})) if each.id == "tandem.E008"]
    assert len(found) == 1
    assert problem in found[0].msg
    assert fix in (found[0].hint or "")


@pytest.mark.parametrize(
    "event",
    [
        Event(Like),
        Event(Like.objects.filter(private=False), gone=Q(deleted_at__isnull=False)),
        Event(lambda: Like.everything.all()),
        Event(OrderLine, user="order__user", time="order__date_placed", value="price"),
        Event(Loan, item="edition__parent_work", time="day"),
        Event(ShelfBook, item="edition__parent_work", time="added_ms", event="shelf__identifier", event_map={"read": "like"}),
        Event(Vote, item="target", time="voted"),
        Event(Vote, item="object_id", time="voted", when=Q(content_type__model="work")),
        Event(Person.saved, user="person__account"),
        Event(Person.saved.through, user="person__account"),
        Event(RatedReview, time="published", value="rating"),
        Event(Review, user=lambda row: row.user_id, time=lambda row: row.published),
    ],
)
def test_a_right_declaration_has_no_problem(registry: None, event: Event) -> None:
    assert [each for each in problems_of(declared(events={"like": event})) if each.id == "tandem.E008"] == []


def test_a_user_of_another_model_than_the_profiles_is_a_problem(registry: None) -> None:
    found: list[Any] = list(problems_of(declared(events={"like": Event(Like)}, profiles=(Developer.objects.all(),))))
    assert any("leads to User; the users of this catalogue are Developer" in each.msg for each in found)
