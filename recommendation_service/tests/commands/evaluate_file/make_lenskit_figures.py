"""Writes lenskit_figures.json, where LensKit 2025 is installed (it is no dependency of this project)."""

import json
from pathlib import Path

import lenskit
import numpy as np
from lenskit.data import ItemList
from lenskit.metrics import NDCG, Hit, Precision, Recall
from lenskit.metrics.ranking._dcg import LogRankWeight

K, ITEMS, PEOPLE = 10, 40, 40
rng = np.random.default_rng(7)
measures = {
    "ndcg": NDCG(K, weight=LogRankWeight(offset=1)),  # log2(rank + 1), as this project defines it
    "precision": Precision(K),
    "recall": Recall(K),
    "hit": Hit(K),
}
lists = [rng.permutation(ITEMS)[: rng.integers(K, 20)].tolist() for _ in range(PEOPLE)]
wanted = [sorted(rng.permutation(ITEMS)[: rng.integers(1, 18)].tolist()) for _ in range(PEOPLE)]
figures = {
    name: [
        float(
            measure.measure_list(
                ItemList(item_ids=[str(i) for i in own], ordered=True), ItemList(item_ids=[str(i) for i in good])
            )
        )
        for own, good in zip(lists, wanted, strict=True)
    ]
    for name, measure in measures.items()
}
body = {"made_with": f"LensKit {lenskit.__version__}", "k": K, "items": ITEMS, "lists": lists, "wanted": wanted, **figures}
(Path(__file__).parent / "lenskit_figures.json").write_text(json.dumps(body) + "\n", encoding="utf-8")
