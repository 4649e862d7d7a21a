"""What the tests read from the pages of foreign sites."""

import re
from pathlib import Path

from tests.infra.place import ROOT

CLICKS = re.compile(r'href="(/tandem/click/[^"]+)"')


def lists(page: str) -> dict[str, list[str]]:
    """Return the titles of each list of a page."""
    sections = re.findall(r'<section class="tandem-list".*?<h2>(.*?)</h2>(.*?)</section>', page, re.DOTALL)
    return {title: re.findall(r"<a [^>]*>(.*?)</a>", cards) for title, cards in sections}


def write_templates(page: str, folder: Path) -> int:
    """Write the html blocks of a documentation page to the paths that their first lines name; return how many."""
    blocks = re.findall(
        r"^```html\n\{# (\S+) #\}\n(.*?)^```$", (ROOT / "docs/guides" / page).read_text(), re.DOTALL | re.MULTILINE
    )
    for name, text in blocks:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return len(blocks)


def block_of(page: str, start: str) -> str:
    """Return the python block of a documentation page that begins with the comment `start`, without that line."""
    text = (ROOT / "docs/guides" / page).read_text()
    return re.findall(rf"^```python\n# {re.escape(start)}[^\n]*\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)[0]
