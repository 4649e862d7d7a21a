"""What a site declares to pair by, from its fields into the export's records."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.datasets.records import ItemRecord
from recommendation_service.domain.side import PairSide
from recommendation_service.errors import DatasetError
from sites.cleaning.models import CleaningJob
from sites.startups.models import Startup
from tandem import sources
from tandem.selectors.pair_features import plain_side, with_side
from tandem.sources import ItemSource
from tests.sites.cleaning.marketplace import make_job, make_place
from tests.support.board import make_startups

RECORDS = (ItemRecord("a", "A"), ItemRecord("b", "B"))


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_registry", dict(sources._registry))


def works(**changes: Any) -> type[ItemSource]:
    """Jobs of a site that pairs them by fields alone."""
    told: dict[str, Any] = {
        "catalogue": "works",
        "queryset": CleaningJob.objects.select_related("place").order_by("pk"),
        "text": ("description",),
        "numbers": {"size_m2": "place__size_m2", "euros": "budget", "is_eco": "eco_friendly", "photos": "photos"},
        "text_columns": {"kind": "place__kind", "about": "description"},
    }
    return type("Works", (ItemSource,), {**told, **changes})


@pytest.mark.django_db
def test_fields_become_columns_across_relations_and_what_is_empty_is_left_out() -> None:
    make_job(make_place(kind="villa", size_m2=120), budget=Decimal("80.50"), eco_friendly=True)
    (record,) = works().records()
    assert record.numbers == {"size_m2": 120.0, "euros": 80.5, "is_eco": 1.0, "photos": 0.0}
    assert record.text_columns == {"kind": "villa"}


@pytest.mark.django_db
def test_a_field_that_is_no_number_is_named_with_its_item() -> None:
    job = make_job()
    with pytest.raises(
        DatasetError, match=f"works: 'kind' of item '{job.pk}' is 'apartment', which is no number; name a field"
    ):
        list(works(numbers={"kind": "place__kind"}).records())


@pytest.mark.django_db
def test_a_source_without_columns_is_read_as_before() -> None:
    make_startups(3)

    class Plain(ItemSource):
        queryset = Startup.objects.all()
        text = ("name",)

    found = list(Plain.records())
    assert len(found) == 3
    assert all(record.numbers == {} and record.text_columns == {} for record in found)


@pytest.mark.django_db
def test_a_side_is_asked_for_once_a_chunk_and_never_for_an_item(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "CHUNK", 4)
    for _ in range(10):
        make_job()
    asked: list[int] = []

    def side(cls: type[ItemSource], items: list[Any]) -> PairSide:
        asked.append(len(items))
        return PairSide.of([str(item.pk) for item in items], [{"rank": float(place)} for place in range(len(items))])

    with CaptureQueriesContext(connection) as queries:
        found = list(works(side=classmethod(side)).records())
    assert asked == [4, 4, 2]
    assert [record.numbers["rank"] for record in found] == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
    assert len(queries) == 1


def told(side: PairSide | None) -> Iterator[ItemRecord]:
    return with_side(RECORDS, side, place="works")


def test_each_record_gets_its_own_row_without_what_is_unknown() -> None:
    numbers = {"size": np.array([1.5, np.nan], dtype=np.float32), "hours": np.array([2, 3], dtype=np.float32)}
    first, second = told(PairSide(("a", "b"), numbers, {"kind": np.array(["", "villa"])}))
    assert (first.numbers, first.text_columns) == ({"size": 1.5, "hours": 2.0}, {})
    assert (second.numbers, second.text_columns) == ({"hours": 3.0}, {"kind": "villa"})


def test_without_a_side_the_records_stay_as_they_are() -> None:
    assert list(told(None)) == list(RECORDS)


@pytest.mark.parametrize("ids", [("b", "a"), ("a",), ("a", "b", "c"), ()])
def test_a_side_of_other_items_is_refused(ids: tuple[str, ...]) -> None:
    with pytest.raises(DatasetError, match="`side` must give the items it was asked for, in their order"):
        list(told(PairSide(ids)))


def test_a_number_without_end_is_named_with_its_item() -> None:
    with pytest.raises(DatasetError, match="'size' of item 'b' has no end; mend `side`"):
        list(told(PairSide(("a", "b"), {"size": np.array([1, np.inf], dtype=np.float32)})))


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=2, max_size=2))
def test_written_numbers_are_short_and_the_same_float32(values: list[float]) -> None:
    column = np.array(values, dtype=np.float32)
    found = [record.numbers["size"] for record in told(PairSide(("a", "b"), {"size": column}))]
    assert np.array(found, dtype=np.float32).tolist() == column.tolist()
    assert [float(f"{value:.9g}") for value in found] == found


def test_nothing_is_unknown_and_no_words_are_empty_words() -> None:
    side = plain_side([{"size": None, "kind": None}], ["a"], numbers=["size"], text_columns=["kind"], place="works")
    assert np.isnan(side.numbers["size"]).all()
    assert side.text_columns["kind"].tolist() == [""]
