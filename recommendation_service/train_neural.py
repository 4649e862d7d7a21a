"""Trains the neural model of pairs, tells every epoch, its errors and the learned alpha, and publishes behind the gate."""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from recommendation_service.errors import ConfigurationError
from recommendation_service.training.command import Workspace, guarded, parse, parser, workspace_of
from recommendation_service.training.parameters import (
    TARGETS,
    NeuralParameters,
    check_value,
    neural_parameters,
)
from recommendation_service.training.report import EveryEpoch
from recommendation_service.training.runner import add_options, run_training
from recommendation_service.training.session import TrainingOptions
from recommendation_service.use_cases.overrides import with_training
from recommendation_service.wiring import build_engines

STATED = NeuralParameters()
KIND = "neural"
OPTIONS = {"epochs": "epochs", "batch_size": "batch", "learning_rate": "learning_rate", "val_split": "valid_share"}
OPTIONS |= {"model_version": "label", "target": "target"}  # option -> the parameter's own name


def main(argv: Sequence[str] | None = None) -> int:
    """Train and publish; 0 done, 1 expected failure, 2 wrong usage. What an option says comes before the use-case file."""
    command_parser = parser("train_neural", __doc__ or "")
    add_options(command_parser, tune=False)
    command_parser.add_argument("--epochs", type=int, help=f"at most; validation stops it (default: {STATED.epochs})")
    command_parser.add_argument("--batch-size", type=int, metavar="N", help=f"pairs a step, at most (default: {STATED.batch})")
    command_parser.add_argument(
        "--learning-rate", type=float, metavar="RATE", help=f"of Adam (default: {STATED.learning_rate})"
    )
    command_parser.add_argument(
        "--val-split", type=float, metavar="SHARE", help=f"of jobs, to measure (default: {STATED.valid_share})"
    )
    command_parser.add_argument("--model-version", metavar="LABEL", help="what to call it; kept with it beside its own number")
    command_parser.add_argument("--target", choices=TARGETS, help=f"what to foretell (default: {STATED.target})")
    options = parse(command_parser, argv)
    for option, parameter in OPTIONS.items():
        if (value := getattr(options, option)) is not None:
            try:
                check_value(f"--{option.replace('_', '-')}", STATED, parameter, value)
            except ConfigurationError as error:
                command_parser.error(error.message)
    return guarded("train_neural", lambda: _train(options))


def _train(options: argparse.Namespace) -> int:
    workspace, report = with_options(workspace_of(options), options), EveryEpoch()
    choices = TrainingOptions(force=options.force, seed=options.seed)
    ended = run_training(
        workspace, [], choices, build_engines, ensemble=False, pairs=[KIND], dry_run=options.dry_run, report=report
    )
    report.tell_next()
    return ended


def with_options(workspace: Workspace, options: argparse.Namespace) -> Workspace:
    """The use cases that have such a model, with what the command line says. Raises ConfigurationError when none has."""
    wanted = {parameter: getattr(options, option) for option, parameter in OPTIONS.items()}
    having = tuple(
        with_training(use_case, KIND, wanted)
        for use_case in workspace.use_cases
        if use_case.pairs and use_case.engine_of_kind(KIND)
    )
    if not having:
        names = ", ".join(use_case.name for use_case in workspace.use_cases)
        raise ConfigurationError(f"{names}: no engine of kind {KIND}; add one, and [pairs], to the use-case file")
    for use_case in having:
        neural_parameters(use_case, seed=options.seed)  # what cannot be trained with is said before anything is read
    return replace(workspace, use_cases=having)


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
