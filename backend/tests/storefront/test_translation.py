"""Every text of every page can be translated."""

from pathlib import Path

import pytest

from tests.support.template_text import unmarked_texts

BACKEND = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(path for path in BACKEND.rglob("templates/**/*.html") if "tests" not in path.relative_to(BACKEND).parts)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(BACKEND)))
def test_a_template_has_no_text_outside_translation_tags(template: Path) -> None:
    assert list(unmarked_texts(template.read_text(encoding="utf-8"))) == []


def test_a_text_between_tags_or_in_a_visible_attribute_is_found() -> None:
    template = '<p title="Why">{% translate "Marked" %} {{ name }}</p>{# a note #}<b aria-label="{{ x }} of ten">Two words</b>'
    assert list(unmarked_texts(template)) == ["Why", "of ten", "Two words"]


def test_marked_texts_names_and_numbers_are_no_fault() -> None:
    marked = "{% blocktranslate count n=n %}{{ n }} job{% plural %}{{ n }} jobs{% endblocktranslate %}"
    assert list(unmarked_texts(f"{marked} · 3 km · Tandem<script>go()</script>")) == []


def test_the_pages_of_every_site_are_looked_at() -> None:
    assert {"cleaning", "posts", "storefront", "tandem"} <= {path.parent.name for path in TEMPLATES}
