"""An engine that fails fails the test, unless the test is about failing."""

from collections.abc import Iterator

import pytest

from recommendation_service.engines.safe_call import Turns


@pytest.fixture(scope="module", autouse=True)
def failures_show() -> Iterator[None]:
    Turns.reraise = True
    yield
    Turns.reraise = False
