import numpy as np
import pytest

from recommendation_service.errors import ArtifactRefused
from recommendation_service.tests.engines import board
from recommendation_service.training.models.embedding_map import (
    draw,
    groups_of,
    plot_positions,
    same_neighbour_share,
    vectors_of,
)


def clouds(sizes, dimension=8, seed=0):
    """Unit vectors in as many far apart clouds as there are sizes, and the cloud of each."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    vectors = rng.normal(size=(len(sizes), dimension))[groups] + 0.05 * rng.normal(size=(groups.size, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), groups


@pytest.mark.parametrize("sizes", [(40, 40), (5, 5)], ids=["t-SNE", "principal axes"])
def test_clouds_stay_apart_on_the_picture(sizes):
    vectors, groups = clouds(sizes)
    points = plot_positions(vectors)
    centres = np.array([points[groups == group].mean(axis=0) for group in (0, 1)])
    spread = max(points[groups == group].std() for group in (0, 1))
    assert points.shape == (sum(sizes), 2)
    assert np.linalg.norm(centres[0] - centres[1]) > 2 * spread


@pytest.mark.parametrize("vectors", [np.ones((3, 4)), np.ones((1, 4)), np.array([[1.0], [2.0], [4.0]])])
def test_hardly_anything_to_draw_still_has_places(vectors):
    points = plot_positions(vectors.astype(np.float32))
    assert points.shape == (len(vectors), 2)
    assert np.isfinite(points).all()


def test_neighbours_of_one_category_are_told_from_chance():
    vectors, groups = clouds((20, 30))
    share, chance = same_neighbour_share(vectors, groups)
    assert share == 1.0
    assert chance == pytest.approx((20 * 19 + 30 * 29) / (50 * 49))
    mixed, _ = same_neighbour_share(vectors, np.random.default_rng(0).permutation(groups))
    assert mixed < 0.75


def test_items_without_a_category_are_left_out_and_two_are_needed():
    vectors, _ = clouds((3,))
    assert same_neighbour_share(vectors, np.array([0, 0, -1]))[0] == 1.0
    with pytest.raises(ValueError, match="two items with a category"):
        same_neighbour_share(vectors, np.array([0, -1, -1]))


def test_groups_are_categories_and_items_gone_from_the_catalogue_have_none():
    names, groups = groups_of(board.catalogue(4), ["item-000", "item-001", "item-023"])
    assert names == ("black", "white")
    assert groups.tolist() == [1, 0, -1]


def test_a_model_without_item_vectors_cannot_be_drawn():
    assert vectors_of(board.als()).shape == (24, 2)
    with pytest.raises(ArtifactRefused, match="nothing to draw"):
        vectors_of(board.content())


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_picture_has_a_legend_with_every_category(tmp_path, suffix):
    vectors, groups = clouds((6, 4))
    path = tmp_path / f"map.{suffix}"
    draw(path, vectors[:, :2], ("python", "cooking"), groups, title="Posts")
    assert path.stat().st_size > 1000
    if suffix == "svg":
        assert all(word in path.read_text() for word in ("python (6)", "cooking (4)"))


def test_more_categories_than_colours_share_one(tmp_path):
    vectors, groups = clouds((2,) * 25)
    path = tmp_path / "map.svg"
    draw(path, vectors[:, :2], [f"c{place}" for place in range(25)], groups, title="Posts")
    assert "other (10)" in path.read_text()
