"""Train one kind: default parameters, trainer and libraries come from the table of kinds."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from importlib.metadata import version
from typing import Any, cast

from recommendation_service import kinds
from recommendation_service.kinds import resolve
from recommendation_service.training.data import Trained, TrainingData
from recommendation_service.training.evaluation.evaluator import EvaluationUsers
from recommendation_service.training.parameters import read_parameters
from recommendation_service.training.report import Progress
from recommendation_service.use_cases.schema import UseCase

Parameters = Any  # one of the frozen dataclasses of RECIPES, by kind
Trainer = Callable[[TrainingData, Any, EvaluationUsers | None, Progress | None], Trained]


@dataclass(frozen=True, slots=True)
class Recipe:
    """One kind: the stated parameters, what trains with them, and the libraries that do the work.

    The trainer gets the material, parameters of the same class, a validation panel (None when the whole export is
    learned from) and a progress bar or None. It raises NotEnough when the material is too small for its kind.
    """

    stated: Parameters
    train: Trainer
    made_by: tuple[str, ...] = ("numpy",)


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A model and the parameters that make it again on other events."""

    trained: Trained
    parameters: Parameters


def _train_with(path: str) -> Trainer:
    """A trainer that imports its module at the first use, because torch and implicit take seconds to import."""

    def train(material: TrainingData, parameters: Any, panel: EvaluationUsers | None, progress: Progress | None) -> Trained:
        function = resolve(path)
        accepted = inspect.signature(function).parameters
        options = {name: value for name, value in (("panel", panel), ("progress", progress)) if name in accepted}
        return cast(Trained, function(material, parameters, **options))

    return train


RECIPES: Mapping[str, Recipe] = {
    name: Recipe(resolve(kind.parameters)(), _train_with(kind.trainer), kind.libraries)
    for name, kind in kinds.KINDS.items()
    if kind.trainer
}
KINDS = tuple(RECIPES)


def fit(
    material: TrainingData,
    kind: str,
    parameters: Parameters,
    *,
    panel: EvaluationUsers | None = None,
    progress: Progress | None = None,
) -> Fitted:
    """Train one kind. Raises NotEnough when the material is too small for it.

    What training found out by itself (such as how many epochs were best) is in the parameters that come back.
    """
    trained = RECIPES[kind].train(material, parameters, panel, progress)
    return Fitted(trained, parameters_from(kind, {**asdict(parameters), **trained.parameters}))


def stated_for(use_case: UseCase, kind: str, *, seed: int) -> Parameters:
    """The default parameters with those of the use-case file. Raises ConfigurationError as `read_parameters` does."""
    stated = RECIPES[kind].stated
    return read_parameters(replace(stated, seed=seed) if hasattr(stated, "seed") else stated, use_case, kind)


def parameters_from(kind: str, values: Mapping[str, Any]) -> Parameters:
    """The parameters a manifest tells; words this program does not know are left out, missing ones are the stated."""
    stated = RECIPES[kind].stated
    known = {field.name: values[field.name] for field in fields(stated) if field.name in values}
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in known.items()}
    return type(stated)(**{**asdict(stated), **plain})


def libraries(kind: str) -> dict[str, str]:
    """Versions of the libraries that make this kind."""
    return {name: version(name) for name in RECIPES[kind].made_by}
