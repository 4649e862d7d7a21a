"""GET /api/models and POST /api/models/reload: the loaded models, and a search for new ones."""

import os
from collections.abc import Mapping

import numpy as np
from apiflask import APIBlueprint
from flask import Response, request

from recommendation_service.core.numeric import AnyArray
from recommendation_service.core.signing import ADMIN, ANY
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.history import History
from recommendation_service.domain.query import Query
from recommendation_service.engines.router import Policy, Router
from recommendation_service.pipeline.surface_pipeline import LEARNING
from recommendation_service.publishing.store import Artifact
from recommendation_service.publishing.watcher import Watched
from recommendation_service.services.serving import LoadedCatalogue, ServingState, weights_summary
from recommendation_service.web.middleware import context
from recommendation_service.web.payloads import json_response
from recommendation_service.web.schemas import ArmOut, ModelOut, ModelsOut, ReloadOut

VECTORS = ("item_vectors", "item_factors")  # arrays with one row per item
BLEND = "ensemble"

blueprint = APIBlueprint("models", __name__, url_prefix="/api/models", tag="Models")


@blueprint.get("")
@blueprint.output(ModelsOut)
def models() -> Response:
    """List the models and exports that this worker serves."""
    caller = context().authenticator.principal(request)
    if not caller.scopes & {ANY, ADMIN}:
        caller.require(ADMIN)
    return json_response(ModelsOut(models=listing(context().live), worker=os.getpid()))


@blueprint.post("/reload")
@blueprint.output(ReloadOut)
def reload() -> Response:
    """Load new models now.

    Only in the worker that received the request; the others check every RS_RELOAD_SECONDS.
    """
    context().authenticator.principal(request).require(ADMIN)
    return json_response({"changed": context().live.refresh(), "worker": os.getpid()})


def listing(state: ServingState) -> list[ModelOut]:
    """Return every export and model kind of every catalogue, with the reason if it is not loaded."""
    rows = []
    for loaded in state.loaded_catalogues.values():
        rows.append(_export(loaded))
        rows += [_model(state, loaded.name, kind, model) for kind, model in sorted(loaded.models.items())]
    return rows


def _export(loaded: LoadedCatalogue) -> ModelOut:
    export = loaded.export.value
    return ModelOut(
        catalogue=loaded.name,
        kind="export",
        version=loaded.export.version,
        created_at=str(export.dataset.summary.get("created_at")) if export else None,
        problem=loaded.export.problem,
        items=len(export.catalogue) if export else None,
    )


def _model(state: ServingState, catalogue: str, kind: str, model: Watched[Artifact]) -> ModelOut:
    arrays: Mapping[str, AnyArray] = model.value.arrays if model.value else {}
    return ModelOut(
        catalogue=catalogue,
        kind=kind,
        version=model.version,
        created_at=model.value.manifest.created_at if model.value else None,
        problem=model.problem,
        dimension=next((int(arrays[name].shape[1]) for name in VECTORS if name in arrays), None),
        items=int(arrays["item_ids"].size) if "item_ids" in arrays else None,
        label=_weights(state, catalogue) if kind == BLEND else _label(model.value),
        warnings=list(model.value.manifest.warnings) if model.value else [],
        arms=arms_of(state, catalogue) if kind in LEARNING else [],
    )


def _weights(state: ServingState, catalogue: str) -> str | None:
    labels = (weights_summary(state, name, catalogue) for name in state.use_cases)
    return "; ".join(dict.fromkeys(filter(None, labels))) or None


def _label(model: Artifact | None) -> str | None:
    labels = model.manifest.parameters.get("label") if model else None
    return labels if isinstance(labels, str) and labels else None


def arms_of(state: ServingState, catalogue: str) -> list[ArmOut]:
    """Return the arms of every bandit of a catalogue with their current probabilities; also before the first update."""
    arms: list[ArmOut] = []
    for use_case_runtime in state.serving.recommender.runtime.use_cases.values():
        for name, plan in use_case_runtime.plans.items():
            if plan.surface.router.kind in LEARNING and plan.surface.catalogue == catalogue:
                runtime = use_case_runtime.catalogues[catalogue]
                arms += _arms(name, plan.router, runtime.usable_policy(), _any_query(runtime.catalogue))
    return arms


def _arms(surface: str, router: Router, policy: Policy | None, query: Query) -> list[ArmOut]:
    plays, rewards = (policy.plays, policy.rewards) if policy else ({}, {})
    return [
        ArmOut(
            surface=surface,
            arm=arm,
            plays=plays.get(arm, 0),
            mean_reward=rewards.get(arm, 0.0) / max(plays.get(arm, 0), 1),
            probability=probability,
        )
        for arm, probability in router.probabilities(query).items()
    ]


def _any_query(catalogue: Catalogue) -> Query:
    """Return a query of an unknown user; the probabilities of a bandit are the same for all users."""
    return Query(catalogue, History.empty(), limit=1, now=0.0, eligible=np.ones(len(catalogue), dtype=np.bool_))
