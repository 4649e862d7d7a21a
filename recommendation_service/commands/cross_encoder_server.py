"""Serves a cross-encoder from a local folder (CROSS_ENCODER_MODEL) to the recommendation service, on one thread."""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from recommendation_service.errors import ConfigurationError, TandemError
from recommendation_service.settings import Settings, load_settings
from recommendation_service.training.models.sentence_models import checked_folder, open_cross_encoder
from recommendation_service.web.auth import refuse_to_start_open
from recommendation_service.web.cross_encoder import create_worker

DONE, FAILED = 0, 1
FIXED = {
    "workers": 1,
    "worker_class": "gthread",
    "threads": 8,  # those who wait for the model; it reads for one at a time
    "timeout": 120,
    "keepalive": 60,
    "loglevel": "warning",
}


class Worker(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """One gunicorn worker that opens the model after the fork, as native libraries want it."""

    def __init__(self, settings: Settings, port: int, *, bfloat16: bool) -> None:
        self._settings, self._port, self._bfloat16 = settings, port, bfloat16
        super().__init__()

    def load_config(self) -> None:
        """Where to listen; everything else is fixed."""
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        self.cfg.set("bind", f"{host}:{self._port}")
        for name, value in FIXED.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The application, in the process that serves it; a folder that cannot be opened ends both processes."""
        folder = _folder(self._settings)
        try:
            score = open_cross_encoder(folder, bfloat16=self._bfloat16)
        except TandemError as error:
            sys.stderr.write(f"serve_cross_encoder: {error.message}\n")
            sys.exit(Arbiter.APP_LOAD_ERROR)
        score([("warm", "up")])  # the first call allocates what all others use
        sys.stderr.write(f"cross-encoder {folder.name} is ready on port {self._port}\n")
        return create_worker(self._settings, score, model=folder.name)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until ended; 1 when it must not start, with the fix in one line."""
    found = argparse.ArgumentParser(prog="python -m recommendation_service.commands.cross_encoder_server", description=__doc__)
    found.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    found.add_argument("--port", type=int, default=5001, help="port to listen on (default: %(default)s)")
    found.add_argument("--bfloat16", action="store_true", help="16-bit numbers: quicker where lscpu shows avx512_bf16 or amx")
    options = found.parse_args(None if argv is None else list(argv))
    try:
        settings = load_settings().model_copy(update={"host": options.host})
        refuse_to_start_open(settings, [options.host])
        checked_folder(_folder(settings), "CROSS_ENCODER_MODEL")
    except TandemError as error:
        sys.stderr.write(f"serve_cross_encoder: {error.message}\n")
        return FAILED
    Worker(settings, options.port, bfloat16=options.bfloat16).run()
    return DONE


def _folder(settings: Settings) -> Path:
    if settings.cross_encoder_model is None:
        raise ConfigurationError("CROSS_ENCODER_MODEL is empty; name a folder with a downloaded cross-encoder")
    return settings.cross_encoder_model


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
