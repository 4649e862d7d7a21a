"""The README's picture is taken by a command, and only when it is asked for."""

import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from sites.startups.models import Developer
from tests.support.board import did_often, make_startups

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium on the PATH"),
]


@pytest.mark.django_db(transaction=True)
def test_it_shows_a_person_with_a_long_past(live_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "STOREFRONT_DEMO", True)
    startups = make_startups(25)
    person = Developer.objects.create(name="June", is_demo=True)
    did_often(str(person.pk), [startup.pk for startup in startups[:20]])
    target = tmp_path / "images" / "page.png"
    call_command("take_picture", "--url", live_server.url, "--to", str(target), stdout=StringIO())
    assert target.read_bytes().startswith(b"\x89PNG")
    assert target.stat().st_size > 10_000


def test_without_a_demo_it_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="run make demo"):
        call_command("take_picture", "--url", "http://127.0.0.1:9/", "--to", str(tmp_path / "page.png"))
    assert not list(tmp_path.iterdir())
