"""A school set up from docs/guides/site-courses.md: courses, articles and videos in one list."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.foreign.pages import CLICKS, block_of, lists, write_templates
from tests.infra.place import ROOT
from tests.support.foreign import ForeignSite, foreign_site

pytestmark = [pytest.mark.timeout(300), pytest.mark.foreign]

PROJECT = Path(__file__).parent / "courses"
START = (
    "from django.contrib.auth.models import User\n"
    "from school.models import *\n"
    "from tandem.models import UserInteraction as U\n"
    "from tandem.slates import slate\n"
    "kinds = lambda user: sorted(U.objects.filter(user__user_id=str(user.pk)).values_list('item__item_id', 'kind__name'))\n"
)


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Iterator[ForeignSite]:
    with foreign_site(tmp_path_factory.mktemp("courses"), PROJECT, wheel) as site:
        assert write_templates("site-courses.md", site.folder) == 2
        site.manage("makemigrations", "school", "-v0")
        site.manage("migrate", "-v0")
        site.python((PROJECT / "fill.py").read_text())
        site.written = site.manage("startrecommendations", "school.Course", "--name", "learning")  # type: ignore[attr-defined]
        declaration = block_of("site-courses.md", "school/recommendation_sources.py")
        (site.folder / "school/recommendation_sources.py").write_text(declaration)
        assert "no issues" in site.manage("check")
        site.manage("tandem_retrain")
        site.start_service()
        site.start_django("/")
        site.log_in("s4@example.org")
        yield site


def test_the_command_says_what_the_page_says(school: ForeignSite) -> None:
    page = (ROOT / "docs/guides/site-courses.md").read_text()
    assert page.partition("```text\n")[2].partition("```")[0] in school.written  # type: ignore[attr-defined]  # set above


def test_every_row_is_about_the_item_of_its_model(school: ForeignSite) -> None:
    said = school.manage("check_events")
    assert "learning.enrollment-course: 135 rows -> 135 interactions, 0 unknown items, 0 refused" in said
    assert "learning.view-article: 180 rows -> 180 interactions, 0 unknown items, 0 refused" in said
    assert "learning.view-video: 180 rows -> 180 interactions, 0 unknown items, 0 refused" in said


def test_lists_of_the_service_have_items_of_several_models(school: ForeignSite) -> None:
    said = school.python(
        START + "made = slate('for-you', user=User.objects.get(username='s5'), limit=40)\n"
        "print(made.method_used, made.degraded, sorted({entry.kind for entry in made}))\n"
        "about = slate('similar', user=None, item=Video.objects.filter(subject='music').first(), limit=8)\n"
        "print(len(about), {entry.object.subject for entry in about}, 'Draft' in [entry.title for entry in made])"
    )
    first, second = said.splitlines()
    assert first.split(maxsplit=2)[1:] == ["False", "['article', 'course', 'video']"]
    assert second == "8 {'music'} False"


def test_pages_of_every_model_show_lists_and_a_click_is_joined(school: ForeignSite) -> None:
    home = school.get("/")
    assert len(lists(home)["For you"]) == 9
    for path in ("/course/1/", "/article/1/", "/video/1/"):
        assert len(lists(school.get(path))["Similar"]) == 4
    assert "<h1>" in school.get(CLICKS.findall(home)[0])
    joined = school.python(
        START + "from tandem.models import Impression\n"
        "row = U.objects.get(request_id__isnull=False)\n"
        "print(row.item.item_id.split('-')[0] in ('course', 'article', 'video'),"
        " Impression.objects.filter(pk=row.request_id).exists())"
    )
    assert joined.split() == ["True", "True"]


def test_changes_are_mirrored_under_the_id_of_the_model(school: ForeignSite) -> None:
    said = school.python(
        START + "user = User.objects.create(username='new')\n"
        "row = Enrollment.objects.create(course_id=2, student=user, status='enrolled')\n"
        "view = ArticleView.objects.create(article_id=2, user=user); VideoWatch.objects.create(video_id=2, user=user)\n"
        "print(kinds(user)); row.status = 'dropped'; row.save(); view.delete(); print(kinds(user))"
    )
    assert said.splitlines() == [
        "[('article-2', 'view'), ('course-2', 'enroll'), ('video-2', 'view')]",
        "[('course-2', 'dismiss'), ('video-2', 'view')]",
    ]


def test_videos_for_members_are_in_no_list_of_others_with_and_without_the_service(school: ForeignSite) -> None:
    code = START + (
        "other, _ = User.objects.get_or_create(username='guest')\n"
        "VideoWatch.objects.get_or_create(video_id=2, user=other)\n"
        "for user in (other, None):\n"
        "    videos = [entry.object for entry in slate('for-you', user=user, limit=100) if entry.kind == 'video']\n"
        "    print(len(videos) > 3, any(video.members_only for video in videos))"
    )
    assert school.python(code).split() == ["True", "False"] * 2
    school.stop("service", signal.SIGKILL)
    assert school.python(code).split() == ["True", "False"] * 2
    school.start_service()


def test_the_admin_shows_the_titles_of_every_model(school: ForeignSite) -> None:
    said = school.python(
        START + "from django.test import Client\n"
        "from django.conf import settings; settings.ALLOWED_HOSTS = ['*']\n"
        "client = Client(); client.force_login(User.objects.create_superuser('root'))\n"
        "page = client.get('/admin/tandem/itemkey/').content.decode()\n"
        "keys = list(__import__('tandem.models').models.ItemKey.objects.order_by('-pk')[:50])\n"
        "print(len({key.item_id.split('-')[0] for key in keys}) > 1, all(f'({key.item_id})' in page for key in keys))"
    )
    assert said.split() == ["True", "True"]
