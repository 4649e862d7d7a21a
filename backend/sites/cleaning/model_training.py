"""Training the network from this site: export what people bid, chose and said, then train, measure and publish.

The network needs torch, which has no place in a Django process, so training is a process of its own.
"""

from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from recommendation_service.datasets.export import PARTS
from tandem.conf import tandem_settings
from tandem.exports.datasets import export_catalogue
from tandem.services.subprocesses import Say, run_module
from tandem.sources import catalogues_of, chosen_sources

USE_CASE = "cleaning"
MODULE = "recommendation_service.train_neural"


def export_and_train(options: Mapping[str, object], *, say: Say) -> None:
    """Export both sides of the marketplace, train with these options of `train_neural`, and publish where Flask looks.

    Every line of it goes to `say`. Raises TandemError; a network that is not good enough is not published, and today's
    keeps serving.
    """
    data_dir = tandem_settings().data_dir.resolve()
    for source in chosen_sources(catalogues_of([USE_CASE])):
        done = export_catalogue(source=source, data_dir=data_dir, fresh=PARTS, say=lambda _stage, _rows, _seconds: None)
        matches = done.summary.get("matches")
        told = ", ".join(f"{count:,} {name}" for name, count in (matches or done.summary["counts"]).items())
        say(f"{source.catalogue} {done.folder.name}: {told}")
    models_dir = Path(settings.RECOMMENDATION_MODELS_DIR).resolve()
    run_module(MODULE, {"use-case": USE_CASE, "data-dir": data_dir, "models-dir": models_dir, **options}, say)
