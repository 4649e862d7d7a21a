"""A blog made with wagtail: subclasses of pages, two languages, private pages, USE_TZ off."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.foreign.pages import CLICKS, block_of, lists, write_templates
from tests.support.foreign import ForeignSite, foreign_site

pytestmark = [pytest.mark.timeout(300), pytest.mark.foreign]

PROJECT = Path(__file__).parent / "wagtail"
GENERATED = 'queryset = BlogPage.objects.filter(live=True).prefetch_related("tags")'


@pytest.fixture(scope="module")
def blog(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Iterator[ForeignSite]:
    with foreign_site(tmp_path_factory.mktemp("wagtail"), PROJECT, wheel, beside=["wagtail"]) as site:
        assert write_templates("site-blog.md", site.folder) == 1
        site.manage("makemigrations", "blog", "-v0")
        site.manage("migrate", "-v0")
        site.python((PROJECT / "fill.py").read_text())
        site.manage("startrecommendations")
        declaration = site.folder / "blog/recommendation_sources.py"
        assert GENERATED in declaration.read_text()
        edited = block_of("site-blog.md", "blog/recommendation_sources.py").strip()
        declaration.write_text(declaration.read_text().replace(GENERATED, edited))
        assert "no issues" in site.manage("check")
        site.manage("tandem_retrain")
        site.start_service()
        site.start_django("/cooking-1/")
        site.log_in("r1@example.org")
        yield site


def test_every_row_is_accounted_for(blog: ForeignSite) -> None:
    said = blog.manage("check_events")
    assert "blog_pages.view: 600 rows -> " in said
    assert "60 with no user" in said
    assert ", 0 refused" in said


def test_a_page_lists_posts_of_its_own_language(blog: ForeignSite) -> None:
    shown = lists(blog.get("/cooking-1/"))
    assert len(shown["Similar"]) == len(shown["For you"]) == 4
    french = blog.python(
        "from blog.models import BlogPage as B; print(B.objects.filter(title__startswith='FR').first().url_path)"
    )
    assert french.strip()
    titles = {title for titles in shown.values() for title in titles}
    assert not any(title.startswith("FR") for title in titles)


def test_private_pages_and_drafts_are_in_no_list(blog: ForeignSite) -> None:
    hidden = blog.python(
        "from blog.models import BlogPage as B\n"
        "from tandem.slates import slate\n"
        "shown = {entry.item_id for surface in ('for-you', 'similar') for page in B.objects.all()[:40]\n"
        "    for entry in slate(surface, user='2', item=page if surface == 'similar' else None, limit=50)}\n"
        "hidden = {str(page.pk) for page in B.objects.all() if not page.live or page.get_view_restrictions().exists()}\n"
        "print(len(shown) > 20, len(hidden) > 4, shown & hidden)"
    )
    assert hidden.split() == ["True", "True", "set()"]


def test_a_new_view_is_recorded_in_the_right_moment(blog: ForeignSite) -> None:
    said = blog.python(
        "from datetime import UTC, datetime\n"
        "from blog.models import BlogPage, PageView\n"
        "from django.contrib.auth import get_user_model\n"
        "from tandem.models import UserInteraction as U\n"
        "post = BlogPage.objects.live().public().last()\n"
        "view = PageView.objects.create(reader=get_user_model().objects.last(), page=post.page_ptr)\n"
        "row = U.objects.latest('pk')\n"
        "print(row.item.item_id == str(post.pk), row.kind.name)\n"
        "view.delete(); print(U.objects.filter(pk=row.pk).exists())"
    )
    assert said.split() == ["True", "view", "False"]


def test_a_click_leads_to_the_post(blog: ForeignSite) -> None:
    link = CLICKS.findall(blog.get("/cooking-1/"))[0]
    assert "<h1>" in blog.get(link)
    assert (
        blog.python("from tandem.models import UserInteraction as U; print(U.objects.exclude(request_id=None).count())").strip()
        == "1"
    )
