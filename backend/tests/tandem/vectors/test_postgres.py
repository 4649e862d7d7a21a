"""Vectors in a real PostgreSQL with pgvector: the same answers, and a copy that is never behind."""

import re
from collections.abc import Iterator

import numpy as np
import pytest
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django.plugin import DjangoDbBlocker

from recommendation_service.core.numeric import Floats
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.tests.support.materials import material_of
from recommendation_service.training.models.embedding import EmbeddingParameters, train_embedding
from tandem.vectors import nearest, packed, postgres, prepare_pgvector
from tests.infra.place import ROOT
from tests.support import pgvector
from tests.support.tiles import Tile, table

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    with django_db_blocker.unblock(), pgvector.server(tmp_path_factory.mktemp("pgvector")) as alias:
        yield alias


@pytest.fixture
def tiles(server: str) -> Iterator[type[Tile]]:
    with table(server) as found:
        yield found


@pytest.fixture(scope="module")
def real_vectors() -> Floats:
    """Paragraphs of this project's own documents, as training would embed them."""
    texts = [part for path in sorted((ROOT / "docs").rglob("*.md")) for part in re.split(r"\n\s*\n", path.read_text())][:600]
    records = [ItemRecord(f"p{row:04d}", "", text) for row, text in enumerate(texts)]
    found = train_embedding(material_of(records, [], {"u": {}})[0], EmbeddingParameters(dimension=64))
    vectors = found.arrays["item_vectors"]
    return vectors[vectors.any(axis=1)]


def filled(tiles: type[Tile], server: str, vectors: Floats) -> None:
    rows = [Tile(word=f"t{row}", stock=row % 3, **packed(one, made_by="m")) for row, one in enumerate(vectors)]
    tiles.objects.using(server).bulk_create(rows)


def test_both_ways_of_searching_give_the_same_answers(tiles: type[Tile], server: str, real_vectors: Floats) -> None:
    filled(tiles, server, real_vectors)
    rows = tiles.objects.using(server).filter(stock__gt=0)
    places = st.integers(0, len(real_vectors) - 1)
    asked = st.lists(st.tuples(places, st.floats(-1, 5, width=16, allow_subnormal=False)), min_size=1, max_size=8)
    exact: dict[str, object] = {}

    @settings(max_examples=30, deadline=None, derandomize=True)
    @given(history=asked, limit=st.integers(1, 60))
    def law(history: list[tuple[int, float]], limit: int) -> None:
        query = sum(weight * real_vectors[place] for place, weight in history)
        found = nearest(rows, query, limit=limit)
        before = exact.setdefault(repr((history, limit)), found)
        assert [near.key for near in found] == [near.key for near in before]  # type: ignore[attr-defined]  # a list of Near
        scores = [near.score for near in before]  # type: ignore[attr-defined]  # as above
        assert [near.score for near in found] == pytest.approx(scores, abs=1e-5)

    law()
    assert not postgres.is_prepared(tiles, using=server)
    assert prepare_pgvector(tiles, using=server)
    law()
    assert len(exact) >= 25


def test_the_database_itself_searches(tiles: type[Tile], server: str, real_vectors: Floats) -> None:
    filled(tiles, server, real_vectors)
    prepare_pgvector(tiles, using=server)
    with CaptureQueriesContext(connections[server]) as queries:
        assert len(nearest(tiles.objects.using(server), real_vectors[0], limit=5)) == 5
    assert "<=>" in queries[-1]["sql"]
    assert "LIMIT 26" in queries[-1]["sql"]


def test_equal_vectors_come_in_the_same_order_as_without(tiles: type[Tile], server: str) -> None:
    filled(tiles, server, np.repeat(np.eye(2, dtype=np.float32), 30, axis=0))
    rows = tiles.objects.using(server)
    before = nearest(rows, np.array([0.6, 0.8]), limit=10)
    prepare_pgvector(tiles, using=server)
    assert nearest(rows, np.array([0.6, 0.8]), limit=10) == before


def test_preparing_twice_changes_nothing(tiles: type[Tile], server: str) -> None:
    filled(tiles, server, np.eye(4, dtype=np.float32))
    assert prepare_pgvector(tiles, using=server)
    assert prepare_pgvector(tiles, using=server)
    assert postgres.fill(tiles, using=server) == 0


def test_a_changed_vector_is_found_at_its_new_place_however_it_was_written(tiles: type[Tile], server: str) -> None:
    filled(tiles, server, np.eye(4, dtype=np.float32))
    prepare_pgvector(tiles, using=server)
    rows, fields = tiles.objects.using(server), packed(np.array([0, 0, 0, 1]), made_by="m")
    saved = rows.get(word="t0")
    saved.vector = fields["vector"]
    saved.save(using=server)
    rows.filter(word="t1").update(vector=fields["vector"])
    rows.bulk_create([Tile(word="t9", **fields)])
    found = nearest(rows, np.array([0, 0, 0, 1]), limit=4)
    assert set(rows.filter(pk__in=[near.key for near in found]).values_list("word", flat=True)) == {"t0", "t1", "t3", "t9"}
    assert [near.score for near in found] == [1, 1, 1, 1]


def test_an_unchanged_vector_keeps_its_copy(tiles: type[Tile], server: str) -> None:
    filled(tiles, server, np.eye(2, dtype=np.float32))
    prepare_pgvector(tiles, using=server)
    tiles.objects.using(server).update(stock=7)
    assert postgres.fill(tiles, using=server) == 0


def test_rows_of_several_dimensions_live_in_one_table(tiles: type[Tile], server: str) -> None:
    rows = [("a", [1, 0]), ("b", [0, 1]), ("c", [1, 0, 0])]
    tiles.objects.using(server).bulk_create([Tile(word=word, **packed(np.array(one), made_by="m")) for word, one in rows])
    prepare_pgvector(tiles, using=server)
    found = nearest(tiles.objects.using(server), np.array([1, 0]), limit=5)
    assert [tiles.objects.using(server).get(pk=near.key).word for near in found] == ["a", "b"]


def test_a_server_that_refuses_the_extension_keeps_the_exact_search(
    tiles: type[Tile], server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tiles, server, np.eye(2, dtype=np.float32))
    monkeypatch.setattr(postgres, "EXTENSION", "no_such_extension")
    assert not prepare_pgvector(tiles, using=server)
    assert not postgres.is_prepared(tiles, using=server)
    with transaction.atomic(using=server):
        assert not prepare_pgvector(tiles, using=server)
        assert len(nearest(tiles.objects.using(server), np.array([1, 0]), limit=5)) == 2  # the transaction is still whole
