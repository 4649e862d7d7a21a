"""One browser a module, and pages that must end without a complaint of theirs."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from demo.management.commands.take_picture import FLAGS
from tests.support.browsing import CHROMIUM, Open


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    # Playwright's loop would make Django believe that the tests themselves are async
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def opened(chromium: Browser, live_server: Any) -> Iterator[Callable[..., Open]]:
    made: list[Open] = []

    def new(**options: Any) -> Open:
        made.append(Open(chromium, live_server.url, **options))
        return made[-1]

    yield new
    for one in made:
        one.context.close()
        assert one.wrong == []
        assert one.elsewhere == []
