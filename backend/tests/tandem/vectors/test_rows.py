"""Vectors in the database without any extension: kept as bytes, searched exactly."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendation_service.core.numeric import unit_rows
from recommendation_service.errors import ArtifactRefused, InvalidInput
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.tests.support.service import ITEMS, embedding_arrays, publish
from tandem.vectors import Near, nearest, packed, prepare_pgvector, unpacked, upsert, vectors_of
from tests.support.tiles import Tile, table

AXES = np.eye(3, dtype=np.float32)
drawn = st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=16).filter(lambda one: any(abs(x) > 1e-3 for x in one))


@pytest.fixture
def tiles(transactional_db: None) -> Iterator[type[Tile]]:
    with table("default") as found:
        yield found


def tile(word: str, vector: object, made_by: str = "embedding_v1", **more: object) -> Tile:
    return Tile(word=word, **more, **packed(np.asarray(vector, dtype=np.float32), made_by=made_by))


@given(numbers=drawn)
@settings(deadline=None)
def test_a_vector_comes_back_as_it_was_but_for_its_length(numbers: list[float]) -> None:
    wanted = np.array(numbers, dtype=np.float32)
    fields = packed(wanted, made_by="m")
    found = unpacked(fields["vector"])
    assert fields["dimension"] == len(numbers)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(found * np.linalg.norm(wanted), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("wrong", [[0.0, 0.0], [], [[1.0]], [np.nan, 1.0], [np.inf, 1.0], np.ones(16_001)])
def test_a_vector_that_points_nowhere_is_refused(wrong: object) -> None:
    with pytest.raises(InvalidInput, match=r"a vector (of|has)"):
        packed(np.asarray(wrong, dtype=np.float32), made_by="m")


def test_the_nearest_come_first_with_their_cosines(tiles: type[Tile]) -> None:
    upsert([tile("x", AXES[0]), tile("xy", [1, 1, 0]), tile("z", AXES[2])], key="word")
    keys = dict(tiles.objects.values_list("word", "pk"))
    found = nearest(tiles.objects.all(), 7 * AXES[0], limit=2)
    assert [near.key for near in found] == [keys["x"], keys["xy"]]
    assert [near.score for near in found] == pytest.approx([1.0, 2**-0.5], abs=1e-6)


def test_a_queryset_says_what_is_looked_at(tiles: type[Tile]) -> None:
    upsert([tile("gone", AXES[0], stock=0), tile("old", AXES[0], made_by="embedding_v0"), tile("new", [1, 1, 0])], key="word")
    left = tiles.objects.filter(stock__gt=0, made_by="embedding_v1")
    assert [near.key for near in nearest(left, AXES[0], limit=5)] == [tiles.objects.get(word="new").pk]


def test_rows_of_another_dimension_are_passed_over(tiles: type[Tile]) -> None:
    upsert([tile("flat", [1, 0]), tile("deep", AXES[0])], key="word")
    assert [near.key for near in nearest(tiles.objects.all(), np.array([1, 0]), limit=5)] == [tiles.objects.get(word="flat").pk]


def test_equally_near_ones_come_in_order_of_their_keys(tiles: type[Tile]) -> None:
    upsert([tile(f"t{number:02d}", AXES[number % 2]) for number in range(40)], key="word")
    found = [near.key for near in nearest(tiles.objects.all(), AXES[1], limit=7)]
    assert found == list(tiles.objects.filter(word__in=[f"t{one:02d}" for one in range(1, 15, 2)]).values_list("pk", flat=True))


def test_nothing_is_near_to_nothing(tiles: type[Tile]) -> None:
    assert nearest(tiles.objects.all(), AXES[0], limit=3) == []
    upsert([tile("x", AXES[0])], key="word")
    assert nearest(tiles.objects.all(), np.zeros(3), limit=3) == []
    assert nearest(tiles.objects.all(), AXES[0], limit=0) == []
    assert nearest(tiles.objects.filter(stock=9), AXES[0], limit=3) == []


def test_upserting_again_replaces_the_vector_and_keeps_the_row(tiles: type[Tile]) -> None:
    upsert([tile("x", AXES[0])], key="word")
    first = tiles.objects.get()
    upsert([tile("x", AXES[1], made_by="embedding_v2", stock=4)], key="word")
    upsert([], key="word")
    found = tiles.objects.get()
    assert (found.pk, found.made_by, found.stock) == (first.pk, "embedding_v2", 4)
    assert found.updated_at > first.updated_at
    np.testing.assert_array_equal(found.array(), AXES[1])


def test_the_search_is_the_brute_force_one(tiles: type[Tile]) -> None:
    @given(seed=st.integers(0, 10_000), limit=st.integers(1, 30))
    @settings(max_examples=15, deadline=None)
    def law(seed: int, limit: int) -> None:
        rng = np.random.default_rng(seed)
        vectors = unit_rows(rng.normal(size=(50, 8)))
        query = unit_rows(rng.normal(size=8))
        tiles.objects.all().delete()
        upsert([tile(str(row), vector) for row, vector in enumerate(vectors)], key="word")
        found = nearest(tiles.objects.all(), query, limit=limit)
        words = dict(tiles.objects.values_list("pk", "word"))
        cosines = vectors @ query
        assert [int(words[near.key]) for near in found] == np.argsort(-cosines)[:limit].tolist()
        assert [near.score for near in found] == pytest.approx(np.sort(cosines)[::-1][:limit].tolist(), abs=1e-5)

    law()


def test_without_the_extension_preparing_says_no_and_breaks_nothing(tiles: type[Tile]) -> None:
    upsert([tile("x", AXES[0])], key="word")
    before = nearest(tiles.objects.all(), AXES[0], limit=1)
    prepare_pgvector(tiles)
    assert nearest(tiles.objects.all(), AXES[0], limit=1) == before == [Near(tiles.objects.get().pk, 1.0)]


def test_published_vectors_are_read_with_their_ids(tmp_path: Path) -> None:
    assert vectors_of(tmp_path / "models", "startups") is None
    publish(tmp_path, "embedding")
    found = vectors_of(tmp_path / "models", "startups")
    assert found is not None
    assert (found.version, found.ids.ids()) == ("embedding_v1", ITEMS)
    np.testing.assert_array_equal(found.matrix, embedding_arrays()["item_vectors"])
    assert found.text_hashes == ("0" * 64,) * len(ITEMS)


def test_other_kinds_have_vectors_or_say_that_they_have_none(tmp_path: Path) -> None:
    publish(tmp_path, "two_tower")
    publish(tmp_path, "content")
    found = vectors_of(tmp_path / "models", "startups", "two_tower")
    assert found is not None
    assert found.text_hashes == ("",) * len(ITEMS)
    with pytest.raises(InvalidInput, match="a model of kind content has no item vectors"):
        vectors_of(tmp_path / "models", "startups", "content")


def test_a_damaged_model_is_refused_by_name(tmp_path: Path) -> None:
    publish(tmp_path, "embedding")
    place = ArtifactStore(tmp_path / "models" / "startups").folder("embedding").path("embedding_v1") / "item_vectors.npy"
    place.chmod(0o644)
    place.write_bytes(place.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(ArtifactRefused, match="embedding_v1"):
        vectors_of(tmp_path / "models", "startups")
