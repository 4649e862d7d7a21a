"""Builds the index of the published two-tower model again, and writes the files that the courses requirements name."""

from app.running import USE_CASE, threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from app.views import write_views
from recommendation_service import cli
from recommendation_service.commands.program import guarded
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.settings import load_settings


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 if done, 1 after an expected failure. The embeddings are written even if the index is refused."""
    parser = argparse.ArgumentParser(prog="python -m app.scripts.export_item_embeddings", description=__doc__)
    parser.add_argument("--models-dir", type=Path, help="where models are published (default: RS_MODELS_DIR)")
    parser.add_argument("--data-dir", type=Path, help="where exports are read (default: RS_DATA_DIR)")
    options = parser.parse_args(None if argv is None else list(argv))
    return guarded(lambda: export(options.models_dir, options.data_dir))


def export(models_dir: Path | None = None, data_dir: Path | None = None) -> int:
    """Do the work; the command line `app.cli` uses it too."""
    settings = load_settings()
    models, data = models_dir or settings.models_dir, data_dir or settings.data_dir
    code = cli.main(["index", "--use-case", USE_CASE, "--models-dir", str(models), "--data-dir", str(data)])
    for path in write_views(ArtifactStore(models / USE_CASE)):
        sys.stdout.write(f"wrote {path.name} in models/{USE_CASE}\n")
    return code


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
