"""Problems and status answers of the API; requests and recommendations are declared in `domain`."""

from pydantic import BaseModel, Field


class ProblemPart(BaseModel):
    """One wrong field."""

    pointer: str = Field(description="JSON pointer into the body, or /name of a path or query parameter")
    detail: str


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str = Field(description="Stable identifier for programs; docs/reference/errors.md lists them")
    request_id: str
    errors: list[ProblemPart]


class ArmOut(BaseModel):
    """One of the engines between which a bandit chooses."""

    surface: str
    arm: str
    plays: int = Field(ge=0, description="Lists of this engine that the bandit has learned from")
    mean_reward: float = Field(ge=0, le=1, description="Mean reward of one list; 0 before the first")
    probability: float = Field(ge=0, le=1, description="Of being tried first, until the next update")


class ModelOut(BaseModel):
    """One published model or export as this worker has loaded it."""

    catalogue: str
    kind: str = Field(description="als, two_tower, content, ensemble, or export")
    version: str | None = Field(description="Loaded version; null: none")
    created_at: str | None
    problem: str | None = Field(description="Why the published version is not loaded; null: it is")
    dimension: int | None = Field(default=None, description="Size of an item's vector; null: the model has none")
    items: int | None = Field(default=None, description="Items of the model, or indexed items")
    label: str | None = Field(
        default=None, description="Label given at training; of an ensemble: which weights are used; null: none"
    )
    warnings: list[str] = Field(default=[], description="What its training found, such as that it loses to popularity")
    arms: list[ArmOut] = Field(default=[], description="Of a bandit: rewards and probabilities of its engines")


class ModelsOut(BaseModel):
    """All models and exports of this worker."""

    models: list[ModelOut]
    worker: int = Field(description="Process id: each worker reloads by itself")


class ReloadOut(BaseModel):
    """The models that a reload replaced in the worker that received the request."""

    changed: list[str]
    worker: int


class UseCaseHealth(BaseModel):
    """Whether one use case can answer, and with what."""

    use_case: str
    can_answer: bool
    detail: str
    engines: list[str]


class HealthOut(BaseModel):
    """The health of the service, for people."""

    status: str = Field(description="ok, degraded or unavailable")
    use_cases: list[UseCaseHealth]
    models: list[ModelOut]


class StateOut(BaseModel):
    """A probe's answer."""

    status: str
    detail: str = ""
    state: str = ""  # changes with every loaded model and export; X-Serving-State of the answers
