"""A marketplace set up from docs/guides/site-marketplace.md: sellers see nothing of their own, and blocks hold."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.foreign.pages import block_of, lists, write_templates
from tests.infra.place import ROOT
from tests.support.foreign import ForeignSite, foreign_site

pytestmark = [pytest.mark.timeout(300), pytest.mark.foreign]

PROJECT = Path(__file__).parent / "market"
START = (
    "from bazaar.models import *\nfrom django.contrib.auth.models import User\n"
    "from tandem.models import UserInteraction as U\nfrom tandem.slates import slate\n"
)
SHOWN = START + (
    "user, blocked = User.objects.get(username='u1'), User.objects.get(username='u12')\n"
    "Block.objects.get_or_create(blocker=user, blocked=blocked)\n"
    "for viewer, other in ((user, blocked), (blocked, user)):\n"
    "    shown = [entry.object for entry in slate('for-you', user=viewer, limit=60)]\n"
    "    print(len(shown) > 20, {viewer.pk, other.pk} & {listing.seller_id for listing in shown})\n"
)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Iterator[ForeignSite]:
    with foreign_site(tmp_path_factory.mktemp("market"), PROJECT, wheel) as site:
        assert write_templates("site-marketplace.md", site.folder) == 2
        site.manage("makemigrations", "bazaar", "-v0")
        site.manage("migrate", "-v0")
        site.python((PROJECT / "fill.py").read_text())
        site.written = site.manage("startrecommendations")  # type: ignore[attr-defined]  # for the test of what it says
        declaration = site.folder / "bazaar/recommendation_sources.py"
        line = block_of("site-marketplace.md", "bazaar/recommendation_sources.py")
        end = "        return visible\n"
        assert end in declaration.read_text()
        declaration.write_text(declaration.read_text().replace(end, line + end))
        assert "no issues" in site.manage("check")
        site.manage("tandem_retrain")
        site.start_service()
        site.start_django("/")
        site.log_in("u4@example.org")
        yield site


def test_the_command_says_what_the_page_says(market: ForeignSite) -> None:
    page = (ROOT / "docs/guides/site-marketplace.md").read_text()
    assert page.partition("```text\n")[2].partition("```")[0] in market.written  # type: ignore[attr-defined]  # set above


def test_pages_show_lists(market: ForeignSite) -> None:
    assert len(lists(market.get("/"))["For you"]) == 6
    assert len(lists(market.get("/listing/1/"))["Similar"]) == 4


def test_nobody_sees_their_own_things_or_those_of_a_blocked_person(market: ForeignSite) -> None:
    assert market.python(SHOWN).split() == ["True", "set()"] * 2
    market.stop("service", signal.SIGKILL)
    assert market.python(SHOWN).split() == ["True", "set()"] * 2
    market.start_service()


def test_a_sold_thing_leaves_the_lists_and_a_withdrawn_offer_the_history(market: ForeignSite) -> None:
    said = market.python(
        START + "from django.utils import timezone\n"
        "user = User.objects.get(username='u7')\n"
        "sold = slate('for-you', user=user, limit=10).items[0].object; sold.status = 'sold'; sold.save()\n"
        "print(sold in [entry.object for entry in slate('for-you', user=user, limit=60)])\n"
        "bids = lambda: U.objects.filter(user__user_id=str(user.pk), kind__name='bid').count()\n"
        "before = bids(); offer = Offer.objects.filter(buyer=user).first(); offer.withdrawn_at = timezone.now(); offer.save()\n"
        "print(before - bids())"
    )
    assert said.split() == ["False", "1"]
