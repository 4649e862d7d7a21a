"""The declarations of docs/guides/events.md are right, for models of the shapes that it names."""

import re
from typing import Any

import pytest

from tandem import sources
from tandem.checks import problems_of
from tests.infra.place import ROOT
from tests.library import models
from tests.library.site import declared

BLOCKS = re.findall(r"```python\n(.+?)```", (ROOT / "docs/guides/events.md").read_text(), re.DOTALL)
IMPORTS = "from django.db.models import Q\nfrom tandem.events import Event\n"


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_of_the_guide_has_no_problem(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_registry", {})
    names: dict[str, Any] = dict(vars(models))
    exec(IMPORTS + block, names)  # noqa: S102 - a file of this repository
    source = declared(events=names["events"])
    assert [each.msg for each in problems_of(source) if each.id != "tandem.E001"] == []
    assert len(names["events"]) >= 2
