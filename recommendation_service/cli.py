"""The `tandem` program: train, evaluate, examine and roll back models, and ask for lists without a server."""

from recommendation_service.core import threads  # isort: skip  # first: it must come before numpy

import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from recommendation_service.commands.program import LazyGroup, Load, run_program
from recommendation_service.kinds import KINDS, resolve

__all__ = ["PROGRAM", "main", "run", "script", "threads"]

COMMANDS = "recommendation_service.commands"


def _load(path: str) -> Load:
    return partial(resolve, f"{COMMANDS}.{path}")


def _train_command(kind: str, tune: bool) -> Any:
    return resolve(f"{COMMANDS}.train:train_command")(kind, tune=tune)


def _kinds(*, tune: bool) -> Mapping[str, tuple[str, Load]]:
    return {
        name: (kind.label or f"the {kind.role} {name}", partial(_train_command, name, tune))
        for name, kind in KINDS.items()
        if (kind.trainer and (kind.search or not tune)) or (kind.pair_trainer and not tune)
    }


ALL = ("every kind of the use cases, the ensemble's weights and the ranker", _load("train:train_all"))
TRAIN = LazyGroup(
    "train",
    "Train models of published exports, and publish each that passes the gate."
    "\n\nExample: tandem train all --use-case startups",
    {"all": ALL, "ranker": ("the ranker, from lists that were shown", _load("train:train_ranker")), **_kinds(tune=False)},
)
TUNE = LazyGroup(
    "tune",
    "Search the settings of one kind on a validation part, train it with the best, and publish it if it passes the gate."
    "\n\nExample: tandem tune ease --use-case startups --trials 12",
    {"all": ALL, **_kinds(tune=True)},
)
EVALUATE = LazyGroup(
    "evaluate",
    "Measure quality. Publishes nothing. `tandem evaluate FILE` measures every engine on a file of interactions."
    "\n\nExample: tandem evaluate ratings.csv --protocol time",
    {
        "file": ("every engine on a file of interactions: the default", _load("evaluate_file.command:evaluate_file")),
        "models": ("every model of a use case, on its export", _load("evaluate_models:evaluate_models")),
        "lists": ("the lists of a surface, with and without each reranker", _load("evaluate_lists:evaluate_lists")),
        "hires": ("who is hired among the bidders of a marketplace", _load("evaluate_hires:evaluate_hires")),
        "bids": ("suggested bids of a marketplace", _load("evaluate_bids:evaluate_bids")),
    },
    default="file",
)
MODELS = LazyGroup(
    "models",
    "List published models, and go back to an older one.\n\nExample: tandem models rollback als --use-case startups",
    {
        "list": ("what is published and what is served: the default", _load("models:list_models")),
        "rollback": ("publish an older version again", _load("models:rollback")),
    },
    default="list",
)
PROGRAM = LazyGroup(
    "tandem",
    f"{__doc__}\n\nThe result is written to stdout, the log to stderr. Exit codes: 0 done, 1 expected failure, 2 wrong usage.",
    {
        "doctor": ("what is exported and published, what it supports, what to run next", _load("doctor:doctor")),
        "train": ("train one kind of model, or all", lambda: TRAIN),
        "tune": ("search the settings of one kind of model, or all", lambda: TUNE),
        "evaluate": ("measure quality: of a file, or of a use case's models and lists", lambda: EVALUATE),
        "models": ("list published models, or roll back", lambda: MODELS),
        "recommend": ("print one list, as the service would answer", _load("recommend:recommend")),
        "update-bandit": ("learn from shown lists which engine goes first", _load("update_bandit:update_bandit")),
        "index": ("build the FAISS index of the two-tower model", _load("index:index")),
        "embedding-map": ("draw the item vectors of a model", _load("embedding_map:embedding_map")),
        "serve-cross-encoder": ("serve the model that reranks", _load("cross_encoder_server:serve_cross_encoder")),
        "show-config": ("print every setting, secrets masked", _load("recommend:show_config")),
        "docs": ("write the generated pages of docs/reference", _load("reference_docs:docs")),
    },
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 expected failure in one line, 2 wrong usage."""
    return run_program(PROGRAM, argv)


def script(*prefix: str) -> Callable[..., int]:
    """Return main(argv=None) of a script that is one command of this program, such as `script("train", "als")`."""
    return lambda argv=None: main([*prefix, *(sys.argv[1:] if argv is None else argv)])


def run() -> None:
    """Entry of the console script."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `tandem models | head` ends without a message, as other commands do
    sys.exit(main())


if __name__ == "__main__":
    run()
