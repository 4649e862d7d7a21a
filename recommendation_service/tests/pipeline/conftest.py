"""An engine that fails fails the test, unless the test is about failing."""

from collections.abc import Iterator

import pytest

from recommendation_service.engines.base import ENGINE_ERRORS


@pytest.fixture(scope="module", autouse=True)
def failures_show() -> Iterator[None]:
    ENGINE_ERRORS.reraise = True
    yield
    ENGINE_ERRORS.reraise = False
