"""How each kind of model is trained: its parameters, its trainer, the libraries that made it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from typing import Any

from recommendation_service.training.als import ALSParameters, train_als
from recommendation_service.training.content import ContentParameters, train_content
from recommendation_service.training.evaluation import Panel
from recommendation_service.training.material import Material, Trained
from recommendation_service.training.report import Progress
from recommendation_service.training.tower_parameters import TwoTowerParameters

Parameters = ALSParameters | TwoTowerParameters | ContentParameters
STATED: Mapping[str, Parameters] = {"als": ALSParameters(), "two_tower": TwoTowerParameters(), "content": ContentParameters()}
KINDS = tuple(STATED)
_MADE_BY = {"als": ("implicit", "numpy"), "two_tower": ("torch", "numpy"), "content": ("scikit-learn", "numpy")}


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A model and the parameters that make it again on other events."""

    trained: Trained
    parameters: Parameters


def fit(material: Material, parameters: Parameters, *, panel: Panel | None = None, progress: Progress | None = None) -> Fitted:
    """Train the kind whose parameters these are; only the two-tower model looks at a panel, to know when to stop.

    Raises NotEnough when the material is too small for that kind.
    """
    if isinstance(parameters, ALSParameters):
        return Fitted(train_als(material, parameters), parameters)
    if isinstance(parameters, ContentParameters):
        return Fitted(train_content(material, parameters), parameters)
    from recommendation_service.training.two_tower import train_two_tower  # torch takes seconds to import

    trained = train_two_tower(material, parameters, panel=panel, progress=progress)
    return Fitted(trained, parameters_from("two_tower", trained.parameters))


def parameters_from(kind: str, told: Mapping[str, Any]) -> Parameters:
    """The parameters a manifest tells; words this program does not know are left out, missing ones are the stated."""
    stated = STATED[kind]
    known = {field.name: told[field.name] for field in fields(stated) if field.name in told}
    return type(stated)(**{**asdict(stated), **known})


def libraries(kind: str) -> dict[str, str]:
    """Versions of the libraries that make this kind."""
    return {name: version(name) for name in _MADE_BY.get(kind, ("numpy",))}
