"""A plot of item vectors in two dimensions, coloured by category, and a measure of how well they separate categories."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from recommendation_service.core.numeric import Floats, Ints, unit_rows
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing.store import Artifact

VECTORS = ("item_vectors", "item_factors", "content_vectors")  # arrays with one vector per item
LEAST_FOR_TSNE = 50  # with fewer items, principal axes show more
MOST_COLOURS = 20
UNNAMED = "other"


def vectors_of(artifact: Artifact) -> Floats:
    """(n, d) unit rows of a model's item vectors. Raises ArtifactRefused if its kind has none."""
    name = next((array for array in VECTORS if array in artifact.arrays), None)
    if name is None:
        raise ArtifactRefused(f"{artifact.version}: a model of this kind has no vector an item, so there is nothing to draw")
    return unit_rows(np.asarray(artifact.arrays[name], dtype=np.float32))


def plot_positions(vectors: Floats, *, seed: int = 42) -> Floats:
    """(n, 2) positions of the items on the plot: t-SNE (van der Maaten & Hinton 2008), or principal axes for few items.

    Deterministic for a seed on one machine.
    """
    varied = np.unique(vectors, axis=0).shape[0]
    if varied < LEAST_FOR_TSNE:
        n = min(2, *vectors.shape)
        flat = PCA(n, random_state=seed).fit_transform(vectors) if varied > 1 else np.zeros((len(vectors), n))
        return np.asarray(np.pad(flat, ((0, 0), (0, 2 - n))), dtype=np.float32)
    positions = TSNE(2, init="pca", perplexity=30, metric="cosine", random_state=seed).fit_transform(vectors)
    return np.asarray(positions, dtype=np.float32)


def same_neighbour_share(vectors: Floats, groups: Ints, *, nearest: int = 5) -> tuple[float, float]:
    """Share of each item's `nearest` neighbours (cosine) that are in the same group, and the share expected by chance.

    `groups` is (n,), -1: no group, left out. Raises ValueError for fewer than two items with a group.
    """
    labelled = np.flatnonzero(groups >= 0)
    if labelled.size < 2:
        raise ValueError("two items with a category are needed to compare neighbours")
    labels, many = groups[labelled], min(nearest, labelled.size - 1)
    alike = vectors[labelled] @ vectors[labelled].T
    np.fill_diagonal(alike, -np.inf)
    near = np.argpartition(-alike, many - 1, axis=1)[:, :many]
    counts = np.bincount(labels)
    by_chance = float((counts * (counts - 1)).sum() / (labelled.size * (labelled.size - 1)))
    return float((labels[near] == labels[:, None]).mean()), by_chance


def groups_of(catalogue: Catalogue, item_ids: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    """Category names, and the index of each item's category, (n,); -1: no category, or not in the catalogue any more."""
    facet = catalogue.facets.get("category")
    rows = catalogue.ids.rows(list(item_ids))
    if facet is None or not facet.values:
        return (), np.full(rows.size, -1, dtype=np.int64)
    carried = facet.matrix.toarray()
    first = np.where(carried.any(axis=1), carried.argmax(axis=1), -1)
    return facet.values, np.where(rows >= 0, first[rows], -1).astype(np.int64)


def draw(path: Path, points: Floats, names: Sequence[str], groups: Ints, *, title: str) -> None:
    """Write the plot as .svg or .png, by the suffix. Each of the largest groups has a colour; the others share one."""
    import matplotlib as mpl  # takes a second to import, and only plots need it

    mpl.use("Agg")
    from matplotlib import pyplot

    sizes = np.bincount(groups[groups >= 0], minlength=len(names))
    shown = [int(group) for group in np.argsort(-sizes, kind="stable")[:MOST_COLOURS] if sizes[group]]
    figure, axes = pyplot.subplots(figsize=(9, 6.5))
    rest = ~np.isin(groups, shown)
    pairs = pyplot.get_cmap("tab20")(np.arange(MOST_COLOURS))
    colours = np.vstack([pairs[::2], pairs[1::2]])  # the ten strong colours first, then the pale ones
    for index, group in enumerate(shown):
        x, y = points[groups == group].T
        axes.scatter(x, y, s=14, color=[colours[index]], label=f"{names[group]} ({x.size})", linewidths=0)
    if rest.any():
        axes.scatter(points[rest, 0], points[rest, 1], s=10, color="0.75", label=f"{UNNAMED} ({rest.sum()})", linewidths=0)
    axes.set(title=title, xticks=[], yticks=[])
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize="small")
    figure.savefig(path, bbox_inches="tight", dpi=130, metadata={"Date": None} if path.suffix == ".svg" else None)
    pyplot.close(figure)
