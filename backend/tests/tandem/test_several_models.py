"""A catalogue whose items come from several models: ids with prefixes, events of every shape, lists, checks."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models import F, Q, Value
from django.db.models.functions import Concat

from recommendation_service.errors import InvalidInput
from tandem import sources
from tandem.checks import problems_of
from tandem.event_sync.report import report_tables
from tandem.event_sync.sync import sync_interactions
from tandem.events import Event
from tandem.item_models import Items
from tandem.models import CatalogueKey, ItemKey, UserInteraction
from tandem.selectors.items import (
    any_items,
    available_ids,
    existing_ids,
    facet_values,
    invisible_ids,
    items_by_id,
    title_of,
    titles_of,
)
from tandem.services.import_files import import_items
from tandem.sources import ItemSource
from tests.library.models import (
    Edition,
    Film,
    FilmLike,
    Like,
    LongStory,
    Page,
    PageView,
    Seen,
    ShortStory,
    Story,
    StoryView,
    Vote,
    Work,
)
from tests.library.site import all_mirrored, declared, interactions

MOMENT = datetime(2025, 3, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)
MODELS = (
    Items(Work.objects.exclude(title="hidden"), created="created_at", category="owner_group", filters=("owner_group",)),
    Items(Film, prefix="f:"),
    Items(Page.objects.all(), category="title"),
)


@pytest.fixture
def ann() -> User:
    return User.objects.create(username="ann")


@pytest.fixture
def source() -> Iterator[type[ItemSource]]:
    with all_mirrored(models=MODELS) as declaration:
        yield declaration


def test_ids_have_the_prefix_of_their_model_and_are_found_again(source: type[ItemSource]) -> None:
    work, film, page = Work.objects.create(title="W"), Film.objects.create(title="F"), Page.objects.create(path="a", title="P")
    long = Page.objects.create(path="news/2024/x", title="L")
    ids = [source.id_of(item) for item in (work, film, page, long)]
    assert ids[:3] == [f"work-{work.pk}", f"f:{film.pk}", "page-a"]
    assert ids[3].startswith("h_")
    assert items_by_id(source=source, item_ids=[*ids, str(work.pk), f"film-{film.pk}", "page-b"]) == dict(
        zip(ids, (work, film, page, long), strict=True)
    )
    assert existing_ids(source=source, item_ids=[*ids, f"f:{film.pk + 1}", "work-x", f"f:0{film.pk}"]) == set(ids)
    assert [title_of(source=source, item=item) for item in (work, film)] == ["W", "F"]


def test_an_id_is_spelled_as_its_own_model_spells_it(source: type[ItemSource]) -> None:
    assert source.spelled_item_id(" work-007 ") == "work-7"
    assert source.spelled_item_id("f:7.0") == "f:7"
    assert source.spelled_item_id("page-007") == "page-007"
    assert source.spelled_item_id("7") == "7"
    with pytest.raises(InvalidInput):
        source.id_of(User(pk=1))


def test_the_export_has_the_items_of_all_models_with_their_own_fields(source: type[ItemSource]) -> None:
    Work.objects.create(title="W", owner_group="g", created_at=MOMENT)
    Work.objects.create(title="hidden")
    Film.objects.create(title="F")
    Page.objects.create(path="a", title="P")
    records = {record.title: record for record in source.records()}
    assert sorted(records) == ["F", "P", "W"]
    assert (records["W"].category, records["W"].created_at) == ("g", MOMENT.timestamp())
    assert records["W"].attributes == {"owner_group": ("g",)}
    assert (records["F"].category, records["F"].attributes) == (None, {})
    assert records["P"].category == "P"
    assert source.facet_names() == {"category", "owner_group"}
    assert facet_values(source, Film(title="F"), "category") == ()


def test_newest_items_of_all_models_come_first() -> None:
    models = (Items(Work, created="created_at"), Items(Like.everything.all(), created="created_at", title="pk"))
    with all_mirrored(models=models) as source:
        user = User.objects.create(username="ann")
        expected = []
        for number in range(6):
            moment = MOMENT - timedelta(days=number)
            work = Work.objects.create(title=str(number), created_at=moment if number % 2 else None)
            expected.append(work if number % 2 else Like.objects.create(work=work, user=user, created_at=moment))
        shown = [item for _, item in any_items(source=source, at_most=6, user_id=None)]
        assert shown == expected
        assert len(list(any_items(source=source, at_most=4, user_id=None))) == 4


def test_each_model_has_its_own_rule_of_visibility_and_availability() -> None:
    models = (
        Items(Work, available={"owner_group": "sold"}),
        Items(Film, visible_to=lambda user: Q(title__startswith="free") if user is None else None),
    )
    with all_mirrored(models=models) as source:
        sold, rest = Work.objects.create(title="s", owner_group="sold"), Work.objects.create(title="r")
        free, paid = Film.objects.create(title="free"), Film.objects.create(title="paid")
        ids = [source.id_of(item) for item in (sold, rest, free, paid)]
        assert available_ids(source=source, item_ids=ids, user_id="1") == {ids[0], ids[2], ids[3]}
        assert available_ids(source=source, item_ids=ids, user_id=None) == {ids[0], ids[2]}
        assert invisible_ids(source=source, user_id=None, at_most=10) == [ids[3]]
        assert source.limits_visibility()
        assert [record.available for record in source.records()] == [True, False, True, True]


def test_events_of_every_shape_are_about_the_item_of_the_right_model(ann: User) -> None:
    events = [
        Event(Like, event="like"),
        Event(FilmLike, event="like"),
        Event(Vote, item="target", time="voted", event="rate"),
        Event(Seen, event="view"),
        Event(PageView, user="visitor", event="open"),
        Event(
            Vote, name="text", item=Concat(Value("f:"), F("object_id")), time="voted", event="vote", when=Q(voted="2024-01-01")
        ),
    ]
    with all_mirrored(models=MODELS, events=events) as source:
        work, film = Work.objects.create(pk=5, title="W"), Film.objects.create(pk=5, title="F")
        Like.objects.create(work=work, user=ann, created_at=MOMENT)
        FilmLike.objects.create(film=film, user=ann, created_at=MOMENT)
        Vote.objects.create(target=work, user=ann, voted="2025-01-01")
        vote = Vote.objects.create(target=film, user=ann, voted="2024-01-01")
        Vote.objects.create(target=Edition.objects.create(pk=5, parent_work=work), user=ann, voted="2025-01-01")
        seen = Seen.objects.create(film=film, user=ann, created_at=MOMENT)
        PageView.objects.create(page=Page.objects.create(path="a", title="P"), visitor=str(ann.pk), time=MOMENT)
        key = str(ann.pk)
        expected = [
            (key, "f:5", "like"), (key, "f:5", "rate"), (key, "f:5", "view"), (key, "f:5", "vote"),
            (key, "page-a", "open"), (key, "work-5", "like"), (key, "work-5", "rate"),
        ]  # fmt: skip
        assert interactions() == expected
        assert set(sync_interactions().values()) == {0}
        assert interactions() == expected
        vote.target = work
        vote.save()
        seen.delete()
        assert (key, "f:5", "rate") not in interactions()
        assert [(item, event) for _, item, event in interactions()].count(("work-5", "rate")) == 2
        assert (key, "f:5", "view") not in interactions()
        UserInteraction.objects.all().delete()
        sync_interactions()
        assert len(interactions()) == 6
        reports = {report.name: report for report in report_tables()}
        assert sum(report.unknown_items for report in reports.values()) == 0
        assert (reports["library.like-work"].interactions, reports["library.like-f"].interactions) == (1, 1)
        assert not any(report.failed for report in reports.values())
        assert not list(source_problems(source))


def source_problems(source: type[ItemSource]) -> list[str]:
    """The problems of the declaration, without those of the use case, which these tests do not have."""
    return [f"{problem.id} {problem.msg}" for problem in problems_of(source) if problem.id != "tandem.E001"]


def test_a_function_may_return_an_item_of_any_model(ann: User) -> None:
    events = [Event(Seen, item=lambda row: row.work or row.film, event="view")]
    with all_mirrored(models=MODELS, events=events):
        Seen.objects.create(work=Work.objects.create(pk=3, title="W"), user=ann, created_at=MOMENT)
        Seen.objects.create(film=Film.objects.create(pk=4, title="F"), user=ann, created_at=MOMENT)
        assert [item for _, item, _ in interactions()] == ["f:4", "work-3"]


def test_a_key_to_a_shared_parent_is_about_the_child_that_exists(ann: User) -> None:
    models = (Items(ShortStory), Items(LongStory))
    with all_mirrored(models=models, events=[Event(StoryView, event="view")]) as source:
        short, long = ShortStory.objects.create(title="S"), LongStory.objects.create(title="L")
        for story in (short, long):
            StoryView.objects.create(story=Story.objects.get(pk=story.pk), user=ann, created_at=MOMENT)
        assert [item for _, item, _ in interactions()] == sorted(source.id_of(item) for item in (short, long))
        assert set(sync_interactions().values()) == {0}


def test_titles_of_recorded_items_are_read_from_their_own_model(source: type[ItemSource]) -> None:
    work, film = Work.objects.create(title="W"), Film.objects.create(title="F")
    catalogue = CatalogueKey.objects.create(name="library")
    keys = [ItemKey.objects.create(catalogue=catalogue, item_id=source.id_of(item)) for item in (work, film)]
    gone = ItemKey.objects.create(catalogue=catalogue, item_id="f:999")
    assert titles_of([*keys, gone]) == {keys[0].pk: "W", keys[1].pk: "F"}


def test_a_file_is_imported_into_the_named_model(source: type[ItemSource], tmp_path: Path) -> None:
    (tmp_path / "films.csv").write_text("id,title\n8,Metropolis\n")
    mapping = ["id=id", "title=title"]
    with pytest.raises(InvalidInput, match=r"--model, one of library\.Work, library\.Film, library\.Page"):
        import_items(tmp_path / "films.csv", source=source, mapping=mapping)
    out = io.StringIO()
    command = ["import_items", str(tmp_path / "films.csv"), "--catalogue=library", "--model=library.Film", "--map", *mapping]
    call_command(*command, stdout=out)
    assert "1 were written" in out.getvalue()
    assert Film.objects.get(pk=8).title == "Metropolis"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"models": (Items(Work), Items(Film, prefix="work-"))}, "E013 .* two models with the prefix 'work-'"),
        ({"models": (Items(Story), Items(ShortStory))}, "E013 .* Story and ShortStory in `models`, which share rows"),
        ({"models": (Items(Work), Items(Film, created="made"))}, "E005 .* `created` names 'made', which Film does not have"),
        ({"models": (Items(Work), Items(Film, text=()))}, "E004 .* names neither `text` nor `title` for Film"),
        ({"models": (Items(Work),), "queryset": Work.objects.all()}, "E003 .* has both `queryset` and `models`"),
        ({"models": (Items(Film),), "events": [Event(Like, event="like")]}, "E008 .* no field of Like leads to an item"),
        (
            {"models": (Items(Work),), "events": [Event(Like, event="like"), Event(Seen, event="like")]},
            "E008 .* two tables of `events` are named 'like'",
        ),
    ],
)
def test_check_names_what_is_wrong(options: dict[str, Any], problem: str) -> None:
    source = declared(**options)
    try:
        (said,) = source_problems(source)
    finally:
        sources._registry.pop("library")
    assert re.match(f"tandem.{problem}", said), said
