"""`tandem serve-cross-encoder`: serves a cross-encoder from a local folder to the recommendation service, on one thread."""

import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from recommendation_service.errors import ConfigurationError, TandemError
from recommendation_service.settings import Settings, load_settings
from recommendation_service.training.models.sentence_models import checked_folder, open_cross_encoder
from recommendation_service.web.auth import refuse_to_start_open
from recommendation_service.web.cross_encoder import create_worker

FIXED = {
    "workers": 1,
    "worker_class": "gthread",
    "threads": 8,  # requests that wait for the model, which scores one at a time
    "timeout": 120,
    "keepalive": 60,
    "loglevel": "warning",
}


class Worker(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """One gunicorn worker that opens the model after the fork, because native libraries do not survive a fork."""

    def __init__(self, settings: Settings, port: int, *, bfloat16: bool) -> None:
        self._settings, self._port, self._bfloat16 = settings, port, bfloat16
        super().__init__()

    def load_config(self) -> None:
        """Set the address; everything else is fixed."""
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        self.cfg.set("bind", f"{host}:{self._port}")
        for name, value in FIXED.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return the application, in the process that serves it. A folder that cannot be opened ends both processes."""
        folder = _folder(self._settings)
        try:
            score = open_cross_encoder(folder, bfloat16=self._bfloat16)
        except TandemError as error:
            sys.stderr.write(f"error: {error.message}\n")
            sys.exit(Arbiter.APP_LOAD_ERROR)
        score([("warm", "up")])  # the first call allocates what all others use
        sys.stderr.write(f"cross-encoder {folder.name} is ready on port {self._port}\n")
        return create_worker(self._settings, score, model=folder.name)


def serve_cross_encoder(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 5001,
    bfloat16: Annotated[
        bool, typer.Option("--bfloat16", help="16-bit numbers: faster if lscpu shows avx512_bf16 or amx.")
    ] = False,
) -> None:
    """Serve the cross-encoder in the folder CROSS_ENCODER_MODEL, which reranks lists, until it is stopped.

    Example: CROSS_ENCODER_MODEL=models/ms-marco-MiniLM-L-6-v2 tandem serve-cross-encoder
    """
    settings = load_settings().model_copy(update={"host": host})
    refuse_to_start_open(settings, [host])
    checked_folder(_folder(settings), "CROSS_ENCODER_MODEL")
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # it ends other commands; a client that leaves must not end this one
    Worker(settings, port, bfloat16=bfloat16).run()


def _folder(settings: Settings) -> Path:
    if settings.cross_encoder_model is None:
        raise ConfigurationError("CROSS_ENCODER_MODEL is empty; name a folder with a downloaded cross-encoder")
    return settings.cross_encoder_model
