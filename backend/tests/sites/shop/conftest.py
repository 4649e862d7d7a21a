"""Every test begins without remembered vectors."""

import pytest

from sites.shop.services.similar_products import forget_vectors


@pytest.fixture(autouse=True)
def _no_vectors_remembered() -> None:
    forget_vectors()
