"""A help desk set up from docs/guides/site-saas.md: no list shows an article of another company."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.foreign.pages import CLICKS, block_of, lists, write_templates
from tests.infra.place import ROOT
from tests.support.foreign import ForeignSite, foreign_site

pytestmark = [pytest.mark.timeout(300), pytest.mark.foreign]

PROJECT = Path(__file__).parent / "tenants"
LEAKS = (
    "from helpdesk.models import Article, User\n"
    "from tandem.slates import slate\n"
    "other = Article.objects.filter(organization__name='gamma').first()\n"
    "for name in ('alpha1', 'beta2'):\n"
    "    user = User.objects.get(username=name); own = name.rstrip('12')\n"
    "    article = Article.objects.filter(organization__name=own).first()\n"
    "    for again in range(2):\n"  # the second list comes from the cache
    "        for about in (None, article, other):\n"
    "            made = slate('similar' if about else 'for-you', user=user, item=about, limit=60)\n"
    "            print(len(made) >= 12, {entry.object.organization.name for entry in made} <= {own})\n"
    "print(len(slate('for-you', user=None, limit=60)) == 0, len(slate('for-you', user='visitor-5', limit=60)) == 0)"
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Iterator[ForeignSite]:
    with foreign_site(tmp_path_factory.mktemp("tenants"), PROJECT, wheel) as site:
        assert write_templates("site-saas.md", site.folder) == 2
        site.manage("makemigrations", "helpdesk", "-v0")
        site.manage("migrate", "-v0")
        site.python((PROJECT / "fill.py").read_text())
        site.written = site.manage("startrecommendations")  # type: ignore[attr-defined]  # for the test of what it says
        assert "no issues" in site.manage("check")
        site.manage("tandem_retrain")
        site.start_service()
        site.start_django("/")
        site.log_in("alpha1@example.org")
        yield site


def test_the_command_writes_the_rule_of_the_page(desk: ForeignSite) -> None:
    page = (ROOT / "docs/guides/site-saas.md").read_text()
    assert page.partition("```text\n")[2].partition("```")[0] in desk.written  # type: ignore[attr-defined]  # set above
    declaration = (desk.folder / "helpdesk/recommendation_sources.py").read_text()
    assert block_of("site-saas.md", "helpdesk/recommendation_sources.py") in declaration


def test_anonymous_views_are_counted_as_views_with_no_user(desk: ForeignSite) -> None:
    said = desk.manage("check_events")
    assert "articles.view: 420 rows -> 360 interactions, 0 unknown items, 0 refused" in said
    assert "60 with no user" in said


def test_a_click_of_a_member_is_joined_and_stays_in_the_company(desk: ForeignSite) -> None:
    page = desk.get("/")
    shown = lists(page)["For you"]
    assert len(shown) == 6
    assert all(title.startswith("alpha ") for title in shown)
    article = desk.get(CLICKS.findall(page)[0])
    assert all(title.startswith("alpha ") for title in lists(article)["Similar"])
    count = "from tandem.models import UserInteraction as U; print(U.objects.filter(request_id__isnull=False).count())"
    assert desk.python(count).strip() == "1"


def test_no_list_leaves_its_company(desk: ForeignSite) -> None:
    said = desk.python(LEAKS).split()
    assert len(said) == 26
    assert set(said) == {"True"}


def test_a_member_who_leaves_sees_nothing_of_the_company(desk: ForeignSite) -> None:
    said = desk.python(
        "from helpdesk.models import Membership, User\n"
        "from tandem.slates import slate\n"
        "user = User.objects.get(username='beta7')\n"
        "print(len(slate('for-you', user=user, limit=10)))\n"
        "Membership.objects.filter(user=user).delete()\n"
        "print(len(slate('for-you', user=user, limit=9)))"
    )
    assert said.split() == ["10", "0"]


def test_no_list_leaves_its_company_while_the_service_is_killed(desk: ForeignSite) -> None:
    desk.stop("service", signal.SIGKILL)
    said = desk.python(LEAKS).split()
    assert len(said) == 26
    assert set(said) == {"True"}
    desk.log_in("beta4@example.org")
    assert all(title.startswith("beta ") for title in lists(desk.get("/"))["For you"])
    desk.start_service()
