"""What the tests read from the pages of foreign sites."""

import re

CLICKS = re.compile(r'href="(/tandem/click/[^"]+)"')


def lists(page: str) -> dict[str, list[str]]:
    """Return the titles of each list of a page."""
    sections = re.findall(r'<section class="tandem-list".*?<h2>(.*?)</h2>(.*?)</section>', page, re.DOTALL)
    return {title: re.findall(r"<a [^>]*>(.*?)</a>", cards) for title, cards in sections}
