"""The site's own items: how many queries a request for several of them costs."""

import pytest
from pytest_django import DjangoAssertNumQueries

from recommendation_service.errors import Gone, NotFound
from tandem.models import CatalogueKey, ItemKey
from tandem.selectors.items import require_items
from tandem.sources import source_of
from tests.support.board import make_startups

pytestmark = pytest.mark.django_db


def test_several_items_are_required_with_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    startups, source = make_startups(6), source_of("startups")
    assert source is not None
    with django_assert_num_queries(1):
        require_items(source=source, item_ids=[str(startup.pk) for startup in startups])


def test_a_removed_item_is_gone_and_an_unknown_one_not_found() -> None:
    (startup,), source = make_startups(1), source_of("startups")
    assert source is not None
    ItemKey.objects.create(catalogue=CatalogueKey.objects.create(name="startups"), item_id=str(startup.pk))
    item_id = str(startup.pk)
    startup.delete()
    with pytest.raises(Gone):
        require_items(source=source, item_ids=[item_id])
    with pytest.raises(NotFound):
        require_items(source=source, item_ids=[item_id, "nothing"])
