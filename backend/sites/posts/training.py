"""Train and query the hybrid recommender from this site; used by `train_torch_recs` and its script.

The model itself is `HybridRecommenderModel` of recommendation_service/training/models/margin_mf.py. It needs torch, which
must not be loaded into a Django process, so training runs in a process of its own.
"""

from pathlib import Path
from typing import Any

from recommendation_service.datasets.export import PARTS
from sites.posts.recommendation_sources import SURFACE, Posts
from tandem.conf import tandem_settings
from tandem.exports.datasets import export_catalogue
from tandem.identity import spelled_user_id
from tandem.services.recommend import recommend
from tandem.services.subprocesses import Say, run_module
from tandem.sources import chosen_sources

EMB_DIM, EPOCHS, TOPN = 32, 6, 20


def train_and_save_hybrid(
    *, emb_dim: int = EMB_DIM, epochs: int = EPOCHS, topn: int = TOPN, models_dir: Path | None = None, say: Say = print
) -> None:
    """Export the posts with their metadata, train both halves of the hybrid and publish them.

    `say` receives every line of output: the loss of each epoch, the first `topn` posts of a few people, the next
    command. `models_dir` None: the service's folder. Raises TandemError. A model that is not good enough is not
    published, and the current one stays.
    """
    (source,) = chosen_sources([Posts.catalogue])
    data_dir = tandem_settings().data_dir.resolve()
    export = export_catalogue(source=source, data_dir=data_dir, fresh=PARTS, say=lambda _stage, _rows, _seconds: None)
    counts = export.summary["counts"]
    say(f"{export.folder.name}: {counts['users']:,} people, {counts['items']:,} posts, {counts['interactions']:,} interactions")
    options = {"use-case": Posts.catalogue, "data-dir": data_dir, "emb-dim": emb_dim, "epochs": epochs, "topn": topn}
    folder = {"models-dir": models_dir.resolve()} if models_dir else {}
    run_module("recommendation_service.cli", {"also": "content", **options, **folder}, say, command=("train", "margin"))


def recommend_for_user_hybrid(user_id: str, topn: int = 12) -> dict[str, Any]:
    """Return the site's list for this person: 70 % collaborative and 30 % content, with a bonus for fresh posts.

    A new person gets posts that match their interests, else popular ones; `method_used` has the engine. Works with and
    without the running service. Raises InvalidInput for a malformed id.
    """
    return recommend(use_case=Posts.catalogue, surface=SURFACE, user_id=spelled_user_id(user_id), limit=topn)
