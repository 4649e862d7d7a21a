"""One service for reading tests, and a maker of services for the others."""

from collections.abc import Callable
from pathlib import Path

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from recommendation_service.app import create_app
from recommendation_service.tests.support import service


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> APIFlask:
    """Startups with every model; movies without an export."""
    root = tmp_path_factory.mktemp("whole")
    service.export_startups(root)
    service.publish_all(root)
    return create_app(service.settings_under(root, RS_METRICS_TOKEN="metrics-word"))


@pytest.fixture
def client(whole: APIFlask) -> FlaskClient:
    return whole.test_client()


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., FlaskClient]:
    """A service over tmp_path with these extra variables."""

    def make(**more: str) -> FlaskClient:
        return create_app(service.settings_under(tmp_path, **more)).test_client()

    return make
