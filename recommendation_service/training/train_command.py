"""The command of one kind of model: the options of its main parameters, the search, and the training."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace

from recommendation_service.training.command import Workspace, guarded, parse, parser, workspace_of
from recommendation_service.training.runner import add_options, add_search, chosen, run_training
from recommendation_service.training.session import EngineBuilder
from recommendation_service.training.trainers import RECIPES
from recommendation_service.use_cases.overrides import with_training


@dataclass(frozen=True, slots=True)
class Setting:
    """A parameter that has an option of its own; `least` is the smallest value, which with `above` is one too small."""

    name: str
    meaning: str
    least: float = 0
    above: bool = False

    @property
    def option(self) -> str:
        """The word on the command line."""
        return f"--{self.name.replace('_', '-')}"

    def problem(self, value: float | None) -> str:
        """Why this value will not do; nothing where it will, and where the option was not given."""
        if value is None or value > self.least or (value == self.least and not self.above):
            return ""
        return f"{self.option} must be {'above ' if self.above else ''}{self.least:g}{'' if self.above else ' or more'}"


@dataclass(frozen=True, slots=True)
class OneKind:
    """A command that trains one kind. What an option says comes before the use-case file; a search begins there."""

    program: str
    purpose: str
    kind: str
    settings: tuple[Setting, ...] = ()

    def run(self, argv: Sequence[str] | None, build: EngineBuilder) -> int:
        """Train and publish; 0 done, 1 expected failure, 2 wrong usage."""
        command_parser = self._parser()
        options = parse(command_parser, argv)
        for setting in self.settings:
            if problem := setting.problem(getattr(options, setting.name)):
                command_parser.error(problem)
        return guarded(self.program, lambda: self._train(options, build))

    def _parser(self) -> argparse.ArgumentParser:
        command_parser = parser(self.program, self.purpose)
        add_options(command_parser, tune=True)
        add_search(command_parser, self.kind)
        for setting in self.settings:
            stated = getattr(RECIPES[self.kind].stated, setting.name)
            command_parser.add_argument(
                setting.option, type=type(stated), metavar="N", help=f"{setting.meaning} (default: {stated})"
            )
        return command_parser

    def _train(self, options: argparse.Namespace, build: EngineBuilder) -> int:
        workspace = self._with_options(workspace_of(options), options)
        return run_training(workspace, [self.kind], chosen(options), build, ensemble=False, dry_run=options.dry_run)

    def _with_options(self, workspace: Workspace, options: argparse.Namespace) -> Workspace:
        """The use cases with what the command line says of training."""
        wanted = {setting.name: getattr(options, setting.name) for setting in self.settings}
        return replace(
            workspace, use_cases=tuple(with_training(use_case, self.kind, wanted) for use_case in workspace.use_cases)
        )
