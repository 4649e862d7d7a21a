"""How each kind of model is trained: its parameters, its trainer, the libraries that made it. One row a kind."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from importlib.metadata import version
from typing import Any

from recommendation_service.training.data import Material, Trained
from recommendation_service.training.evaluation.evaluator import Panel
from recommendation_service.training.models.als import ALSParameters, train_als
from recommendation_service.training.models.co_occurrence import CoOccurrenceParameters, train_co_occurrence
from recommendation_service.training.models.content import ContentParameters, train_content
from recommendation_service.training.models.ease import EaseParameters, train_ease
from recommendation_service.training.models.embedding import EmbeddingParameters, train_embedding
from recommendation_service.training.models.margin_parameters import MarginParameters
from recommendation_service.training.models.next_item import NextItemParameters, train_next_item
from recommendation_service.training.models.sasrec_parameters import SASRecParameters
from recommendation_service.training.models.similar_users import SimilarUsersParameters, train_similar_users
from recommendation_service.training.parameters import TwoTowerParameters
from recommendation_service.training.report import Progress
from recommendation_service.use_cases.options import check_words
from recommendation_service.use_cases.schema import UseCase

Parameters = Any  # one of the frozen dataclasses of RECIPES, by kind
Trainer = Callable[[Material, Any, Panel | None, Progress | None], Trained]


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


def _als(material: Material, parameters: ALSParameters, _panel: Panel | None, progress: Progress | None) -> Trained:
    return train_als(material, parameters, progress)


def _two_tower(material: Material, parameters: TwoTowerParameters, panel: Panel | None, progress: Progress | None) -> Trained:
    from recommendation_service.training.models.two_tower import train_two_tower  # torch takes seconds to import

    return train_two_tower(material, parameters, panel=panel, progress=progress)


def _content(material: Material, parameters: ContentParameters, _panel: Panel | None, _progress: Progress | None) -> Trained:
    return train_content(material, parameters)


def _margin(material: Material, parameters: MarginParameters, panel: Panel | None, progress: Progress | None) -> Trained:
    from recommendation_service.training.models.margin_mf import train_margin  # torch takes seconds to import

    return train_margin(material, parameters, panel=panel, progress=progress)


def _co_occurrence(
    material: Material, parameters: CoOccurrenceParameters, _panel: Panel | None, progress: Progress | None
) -> Trained:
    return train_co_occurrence(material, parameters, progress)


def _similar_users(
    material: Material, parameters: SimilarUsersParameters, _panel: Panel | None, _progress: Progress | None
) -> Trained:
    return train_similar_users(material, parameters)


def _embedding(material: Material, parameters: EmbeddingParameters, _panel: Panel | None, progress: Progress | None) -> Trained:
    return train_embedding(material, parameters, progress=progress)


def _ease(material: Material, parameters: EaseParameters, _panel: Panel | None, _progress: Progress | None) -> Trained:
    return train_ease(material, parameters)


def _next_item(material: Material, parameters: NextItemParameters, _panel: Panel | None, progress: Progress | None) -> Trained:
    return train_next_item(material, parameters, progress)


def _sasrec(material: Material, parameters: SASRecParameters, panel: Panel | None, progress: Progress | None) -> Trained:
    from recommendation_service.training.models.sasrec import train_sasrec  # torch takes seconds to import

    return train_sasrec(material, parameters, panel=panel, progress=progress)


RECIPES: Mapping[str, Recipe] = {
    "als": Recipe(ALSParameters(), _als, ("implicit", "numpy")),
    "two_tower": Recipe(TwoTowerParameters(), _two_tower, ("torch", "numpy")),
    "content": Recipe(ContentParameters(), _content, ("scikit-learn", "numpy")),
    "embedding": Recipe(EmbeddingParameters(), _embedding, ("scikit-learn", "numpy")),
    "co_occurrence": Recipe(CoOccurrenceParameters(), _co_occurrence, ("scipy", "numpy")),
    "similar_users": Recipe(SimilarUsersParameters(), _similar_users, ("scipy", "numpy")),
    "ease": Recipe(EaseParameters(), _ease, ("scipy", "numpy")),
    "next_item": Recipe(NextItemParameters(), _next_item, ("scipy", "numpy")),
    "sasrec": Recipe(SASRecParameters(), _sasrec, ("torch", "numpy")),
    "margin": Recipe(MarginParameters(), _margin, ("torch", "scikit-learn", "numpy")),
}
KINDS = tuple(RECIPES)


def fit(
    material: Material, kind: str, parameters: Parameters, *, panel: Panel | None = None, progress: Progress | None = None
) -> Fitted:
    """Train one kind. Raises NotEnough when the material is too small for it.

    What training found out by itself (such as how many epochs were best) is in the parameters that come back.
    """
    trained = RECIPES[kind].train(material, parameters, panel, progress)
    return Fitted(trained, parameters_from(kind, {**asdict(parameters), **trained.parameters}))


def stated_for(use_case: UseCase, kind: str, *, seed: int) -> Parameters:
    """The stated parameters with what the use-case file says under `training`. Raises ConfigurationError for a wrong word."""
    stated = RECIPES[kind].stated
    found = use_case.engine_of_kind(kind)
    told = dict(found[1].training) if found else {}
    known = {field.name: type(getattr(stated, field.name)) for field in fields(stated)}
    check_words(told, known, place=f"{use_case.name}: engine '{found[0] if found else kind}', training")
    for name, value in told.items():
        told[name] = tuple(value) if isinstance(value, list) else value
    if "seed" in known:
        told.setdefault("seed", seed)
    return replace(stated, **told)


def parameters_from(kind: str, told: Mapping[str, Any]) -> Parameters:
    """The parameters a manifest tells; words this program does not know are left out, missing ones are the stated."""
    stated = RECIPES[kind].stated
    known = {field.name: told[field.name] for field in fields(stated) if field.name in told}
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in known.items()}
    return type(stated)(**{**asdict(stated), **plain})


def libraries(kind: str) -> dict[str, str]:
    """Versions of the libraries that make this kind."""
    return {name: version(name) for name in RECIPES[kind].made_by}
