"""Takes the README's picture from a running demo."""

import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from demo.plan import ROOT

PICTURE = ROOT / "docs" / "images" / "page.png"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SEGMENT = "hot"


class Command(BaseCommand):
    """Open a site, choose a person with many interactions, and write a screenshot."""

    help = "Write docs/images/page.png from a running demo; needs the dev extra and chromium."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the URL of the demo, the site, and the file."""
        parser.add_argument("--url", default="http://127.0.0.1:8000/", help="URL of the demo")
        parser.add_argument("--site", default="startups", help="Which site (default startups)")
        parser.add_argument("--to", type=Path, default=PICTURE, help="File to write")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take one picture, 1200 by 900."""
        try:
            from playwright.sync_api import Error, sync_playwright  # of the dev extra: a site never needs a browser
        except ImportError as error:
            raise CommandError("needs the dev extra: pip install -e '.[dev]'") from error
        chromium = shutil.which("chromium")
        if chromium is None:
            raise CommandError("needs chromium on the PATH")
        target: Path = options["to"]
        target.parent.mkdir(parents=True, exist_ok=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
            page = browser.new_page(viewport={"width": 1200, "height": 900}, color_scheme="light")
            try:
                page.goto(f"{options['url'].rstrip('/')}/{options['site']}/")
                people = page.locator(".people li a")
                hot = people.filter(has=page.locator(f".{SEGMENT}"))
                (hot.first if hot.count() else people.last).click()
                page.locator("#list .card").first.wait_for()
                page.locator("#list summary").first.click()
                page.screenshot(path=str(target))
            except Error as error:
                raise CommandError(
                    f"the demo at {options['url']} did not show a list: {error.message}; run make demo"
                ) from error
            finally:
                browser.close()
        self.stdout.write(f"wrote {target}")
