"""The command of one kind of model: the options of its main parameters, the search, and the training."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace

from recommendation_service.training.command import Workspace, guarded, parse, parser, workspace_of
from recommendation_service.training.runner import add_options, add_search, chosen, conduct
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
        found = self._parser()
        options = parse(found, argv)
        for one in self.settings:
            if problem := one.problem(getattr(options, one.name)):
                found.error(problem)
        return guarded(self.program, lambda: self._train(options, build))

    def _parser(self) -> argparse.ArgumentParser:
        found = parser(self.program, self.purpose)
        add_options(found, tune=True)
        add_search(found, self.kind)
        for one in self.settings:
            stated = getattr(RECIPES[self.kind].stated, one.name)
            found.add_argument(one.option, type=type(stated), metavar="N", help=f"{one.meaning} (default: {stated})")
        return found

    def _train(self, options: argparse.Namespace, build: EngineBuilder) -> int:
        workspace = self._told(workspace_of(options), options)
        return conduct(workspace, [self.kind], chosen(options), build, ensemble=False, dry_run=options.dry_run)

    def _told(self, workspace: Workspace, options: argparse.Namespace) -> Workspace:
        """The use cases with what the command line says of training."""
        wanted = {one.name: getattr(options, one.name) for one in self.settings}
        return replace(
            workspace, use_cases=tuple(with_training(use_case, self.kind, wanted) for use_case in workspace.use_cases)
        )
