"""One board for all drills of a run: seeding and training it is the dear part."""

import pytest

from tests.drills.plant import Plant, build


@pytest.fixture(scope="session")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    """A seeded, exported and trained startup board."""
    return build(tmp_path_factory.mktemp("drills"))
