"""A job board set up from docs/guides/site-jobs.md, with nothing written by hand but templates."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.foreign.pages import CLICKS, lists, write_templates
from tests.infra.place import ROOT
from tests.support.foreign import ForeignSite, foreign_site

pytestmark = [pytest.mark.timeout(300), pytest.mark.foreign]

PROJECT = Path(__file__).parent / "jobs"
START = "from board.models import *\nfrom tandem.models import UserInteraction as U\nfrom tandem.slates import slate\n"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Iterator[ForeignSite]:
    with foreign_site(tmp_path_factory.mktemp("jobs"), PROJECT, wheel) as site:
        assert write_templates("site-jobs.md", site.folder) == 2
        site.manage("makemigrations", "board", "-v0")
        site.manage("migrate", "-v0")
        site.python((PROJECT / "fill.py").read_text())
        site.written = site.manage("startrecommendations")  # type: ignore[attr-defined]  # for the test of what it says
        assert "no issues" in site.manage("check")
        site.manage("tandem_retrain")
        site.start_service()
        site.start_django("/")
        site.log_in("m4@example.org")
        yield site


def test_the_command_says_what_the_page_says(board: ForeignSite) -> None:
    page = (ROOT / "docs/guides/site-jobs.md").read_text()
    assert page.partition("```text\n")[2].partition("```")[0] in board.written  # type: ignore[attr-defined]  # set above


def test_cancelled_applications_are_no_interactions(board: ForeignSite) -> None:
    said = board.manage("check_events")
    assert "jobs.save: 180 rows -> 180 interactions, 0 unknown items, 0 refused" in said
    assert "jobs.apply: 225 rows -> 180 interactions, 0 unknown items, 0 refused" in said


def test_a_member_sees_jobs_and_a_click_is_joined(board: ForeignSite) -> None:
    home = board.get("/")
    assert len(lists(home)["For you"]) == 6
    assert len(lists(board.get(CLICKS.findall(home)[0]))["Similar"]) == 4
    joined = board.python(
        START + "row = U.objects.get(request_id__isnull=False)\n"
        "print(row.kind.name, row.user.user_id == str(Member.objects.get(account__username='m4').pk))"
    )
    assert joined.split() == ["view", "True"]


def test_a_job_that_is_closed_leaves_every_list_and_a_saved_one_counts_at_once(board: ForeignSite) -> None:
    said = board.python(
        START + "member = Member.objects.get(account__username='m7')\n"
        "shown = [entry.object for entry in slate('for-you', user=member, limit=10)]\n"
        "closed = shown[0]; closed.is_open = False; closed.save()\n"
        "again = slate('for-you', user=member, limit=10)\n"
        "print(len(shown), len(again), closed in [entry.object for entry in again])\n"
        "rows = U.objects.filter(user__user_id=str(member.pk), item__item_id=str(shown[1].pk), kind__name='save')\n"
        "saved = lambda: rows.count()\n"
        "member.saved_jobs.add(shown[1]); first = saved(); member.saved_jobs.remove(shown[1]); print(first, saved())"
    )
    assert said.split() == ["10", "10", "False", "1", "0"]
