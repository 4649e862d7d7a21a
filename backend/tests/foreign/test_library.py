"""A library set up from docs/guides/site-library.md: works and editions, shelves, soft deletes, blocks, addresses as keys."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.foreign.pages import CLICKS, lists, write_templates
from tests.infra.place import ROOT
from tests.support.foreign import ForeignSite, foreign_site

pytestmark = [pytest.mark.timeout(300), pytest.mark.foreign]

PROJECT = Path(__file__).parent / "library"
START = (
    "from books.models import *\n"
    "from tandem.models import UserInteraction as U\n"
    "from tandem.slates import slate\n"
    "kinds = lambda user, work: sorted(U.objects.filter(user__user_id=W.user_id(user), item__item_id=str(work.pk))"
    ".values_list('kind__name', flat=True))\n"
    "from books.recommendation_sources import Works as W\n"
)
BLOCKED = START + (
    "blocker, blocked = User.objects.get(username='r0'), User.objects.get(username='r1')\n"
    "for viewer, other in ((blocker, blocked), (blocked, blocker)):\n"
    "    shown = [entry.object for entry in slate('for-you', user=viewer, limit=40)]\n"
    "    print(len(shown) > 20, any(work.added_by_id == other.pk for work in shown))"
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Iterator[ForeignSite]:
    with foreign_site(tmp_path_factory.mktemp("library"), PROJECT, wheel) as site:
        assert write_templates("site-library.md", site.folder) == 2
        site.manage("makemigrations", "books", "-v0")
        site.manage("migrate", "-v0")
        site.python((PROJECT / "fill.py").read_text())
        site.written = site.manage("startrecommendations")  # type: ignore[attr-defined]  # for the test of what it says
        assert "no issues" in site.manage("check")
        site.manage("tandem_retrain")
        site.start_service()
        site.start_django("/")
        site.log_in("r4@example.org")
        yield site


def test_the_command_says_what_the_page_says(library: ForeignSite) -> None:
    page = (ROOT / "docs/guides/site-library.md").read_text()
    said = page.partition("```text\n")[2].partition("```")[0]
    assert said in library.written  # type: ignore[attr-defined]  # set by the fixture


def test_every_row_is_an_interaction_or_was_deleted(library: ForeignSite) -> None:
    said = library.manage("check_events")
    assert "works.save: 405 rows -> 405 interactions, 0 unknown items, 0 refused" in said
    assert "works.rate: 180 rows -> 135 interactions, 0 unknown items, 0 refused" in said
    assert "works.like: 45 rows -> 45 interactions, 0 unknown items, 0 refused" in said


def test_a_reader_sees_works_and_a_click_is_joined_with_its_list(library: ForeignSite) -> None:
    page = library.get("/")
    assert len(lists(page)["For you"]) == 6
    assert not any(title.endswith(("paper", "e-book")) for title in lists(page)["For you"])
    work = library.get(CLICKS.findall(page)[0])
    assert len(lists(work)["Similar"]) == 4
    joined = library.python(
        "from tandem.models import Impression, UserInteraction as U\n"
        "row = U.objects.get(request_id__isnull=False)\n"
        "print(row.kind.name, Impression.objects.filter(pk=row.request_id, user=row.user).exists())"
    )
    assert joined.split() == ["view", "True"]


def test_a_book_on_another_shelf_changes_its_event(library: ForeignSite) -> None:
    said = library.python(
        START + "row = ShelfBook.objects.filter(shelf__identifier='to-read').last()\n"
        "work, user = row.book.parent_work, row.user\n"
        "[each.delete() for kind in (Review, Boost) for each in kind.objects.filter(user=user)]\n"
        "print(*kinds(user, work))\n"
        "row.shelf = Shelf.objects.get(user=user, identifier='stopped-reading'); row.save()\n"
        "print(*kinds(user, work))"
    )
    assert said.split() == ["save", "dismiss"]


def test_a_deleted_review_is_forgotten_and_comes_back(library: ForeignSite) -> None:
    said = library.python(
        START + "review = Review.objects.filter(user__username='r7', deleted=False).first()\n"
        "for deleted in (True, False):\n"
        "    status = Status.objects.get(pk=review.pk); status.deleted = deleted; status.save()\n"
        "    print('rate' in kinds(review.user, review.book.parent_work))"
    )
    assert said.split() == ["False", "True"]


def test_rows_written_by_update_are_mended_by_sync(library: ForeignSite) -> None:
    said = library.python(
        START + "review = Review.objects.filter(user__username='r8', deleted=False).first()\n"
        "from django.core.management import call_command\n"
        "import io\n"
        "for deleted in (True, False):\n"
        "    Status.objects.filter(pk=review.pk).update(deleted=deleted)\n"
        "    call_command('sync_interactions', stdout=io.StringIO())\n"
        "    print('rate' in kinds(review.user, review.book.parent_work))"
    )
    assert said.split() == ["False", "True"]


def test_a_block_hides_works_of_both_people_with_and_without_the_service(library: ForeignSite) -> None:
    assert library.python(BLOCKED).split() == ["True", "False"] * 2
    library.stop("service", signal.SIGKILL)
    assert library.python(BLOCKED).split() == ["True", "False"] * 2
    library.log_in("r5@example.org")
    assert len(lists(library.get("/"))["For you"]) == 6
    library.start_service()


def test_a_deleted_person_has_no_history(library: ForeignSite) -> None:
    said = library.python(
        START + "user = User.objects.get(username='r9'); key = W.user_id(user)\n"
        "rows = lambda: U.objects.filter(user__user_id=key).count()\n"
        "print(rows() > 0); ShelfBook.objects.filter(user=user).delete(); user.delete(); print(rows())"
    )
    assert said.split() == ["True", "0"]
