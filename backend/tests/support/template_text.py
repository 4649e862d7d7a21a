"""Finds texts of a Django template that are not marked for translation."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

NOT_TEXT = re.compile(
    r"\{#.*?#\}|\{%\s*comment.*?endcomment\s*%\}|\{%\s*block ?trans(?:late)?\b.*?endblock ?trans(?:late)?\s*%\}", re.S
)
TAGS = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.S)
WORD = re.compile(r"[^\W\d_]{2,}")
ATTRIBUTES = {"alt", "aria-label", "placeholder", "title"}
CODE = {"script", "style"}
NAMES = {"Tandem", "km", "min", "m²", "ID", "JSON"}  # the product, units and abbreviations are the same in every language


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._code += tag in CODE
        self.texts += [value for name, value in attrs if name in ATTRIBUTES and value]

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag in CODE

    def handle_data(self, data: str) -> None:
        if not self._code:
            self.texts.append(data)


def unmarked_texts(template: str) -> Iterator[str]:
    """Yield each text between tags, and each text of a visible attribute, that has a word outside translation tags."""
    parser = _Texts()
    parser.feed(TAGS.sub("", NOT_TEXT.sub("", template)))
    parser.close()
    for text in parser.texts:
        if set(WORD.findall(text)) - NAMES:
            yield " ".join(text.split())
