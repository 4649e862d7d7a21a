"""A page in a real browser, and everything that went wrong in it."""

import shutil
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page

CHROMIUM = shutil.which("chromium")


class Open:
    """A page, and everything that went wrong in it."""

    def __init__(self, browser: Browser, base: str, *, width: int, javascript: bool = True, scheme: Any = "light") -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 800}, java_script_enabled=javascript, color_scheme=scheme
        )
        self.base = base
        self.page: Page = self.context.new_page()
        self.wrong: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.wrong.append(f"dialog {dialog.message}"), dialog.dismiss()))
        self.page.on("request", lambda request: None if request.url.startswith(base) else self.elsewhere.append(request.url))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.wrong.append(message.text)

    def go(self, path: str) -> Page:
        self.page.goto(self.base + path)
        return self.page
