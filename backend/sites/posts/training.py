"""Training and asking the hybrid recommender from this site: what `train_torch_recs` and its script do.

The model itself is `HybridRecommenderModel` of recommendation_service/training/models/margin_mf.py. It needs torch, which
has no place in a Django process, so training runs in a process of its own.
"""

from pathlib import Path
from typing import Any

from recommendation_service.datasets.export import PARTS
from recommendation_service.domain.ids import clean_id
from sites.posts.access import SURFACE, USE_CASE
from tandem.conf import tandem_settings
from tandem.exports.datasets import export_catalogue
from tandem.services.recommend import recommend
from tandem.services.subprocesses import Say, run_module
from tandem.sources import chosen_sources

EMB_DIM, EPOCHS, TOPN = 32, 6, 20


def train_and_save_hybrid(
    *, emb_dim: int = EMB_DIM, epochs: int = EPOCHS, topn: int = TOPN, models_dir: Path | None = None, say: Say = print
) -> None:
    """Export the posts with their metadata, train both halves of the hybrid and publish them.

    Every line of the training goes to `say`: the loss of each epoch, the first `topn` posts of a few people, the next
    command. `models_dir` None: where the service looks. Raises TandemError; a model that is not good enough is not
    published, and today's keeps serving.
    """
    (source,) = chosen_sources([USE_CASE])
    data_dir = tandem_settings().data_dir.resolve()
    done = export_catalogue(source=source, data_dir=data_dir, fresh=PARTS, say=lambda _stage, _rows, _seconds: None)
    counts = done.summary["counts"]
    say(f"{done.folder.name}: {counts['users']:,} people, {counts['items']:,} posts, {counts['interactions']:,} interactions")
    options = {"use-case": USE_CASE, "data-dir": data_dir, "emb-dim": emb_dim, "epochs": epochs, "topn": topn}
    folder = {"models-dir": models_dir.resolve()} if models_dir else {}
    run_module("recommendation_service.train_margin", {"hybrid": None, **options, **folder}, say)


def recommend_for_user_hybrid(user_id: str, topn: int = 12) -> dict[str, Any]:
    """What the site shows this person now: 70 % collaborative and 30 % content, fresh posts up, redundant ones down.

    Someone new gets what suits their interests, else what is popular: `method_used` says which. Asks the running service,
    or does without it. Raises InvalidInput for an id that cannot be one.
    """
    return recommend(use_case=USE_CASE, surface=SURFACE, user_id=clean_id(user_id, field="user_id"), limit=topn)
