"""GET /api/models and POST /api/models/reload: what serves, and looking again at once."""

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
from recommendation_service.engines.router import LEARNING, Policy, Router
from recommendation_service.publishing.store import Artifact
from recommendation_service.publishing.watcher import Watched
from recommendation_service.services.serving import LoadedCatalogue, ServingState, weights_summary
from recommendation_service.web.middleware import context
from recommendation_service.web.payloads import json_response
from recommendation_service.web.schemas import ArmOut, ModelOut, ModelsOut, ReloadOut

VECTORS = ("item_vectors", "item_factors")  # arrays with one row an item
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
    """Look for new models now.

    Only in the worker that got the request; the others look by themselves every RS_RELOAD_SECONDS.
    """
    context().authenticator.principal(request).require(ADMIN)
    return json_response({"changed": context().live.refresh(), "worker": os.getpid()})


def listing(state: ServingState) -> list[ModelOut]:
    """Every export and model kind of every catalogue, whether it serves or why not."""
    rows = []
    for loaded in state.loaded_catalogues.values():
        rows.append(_export(loaded))
        rows += [_model(state, loaded.name, kind, model) for kind, model in sorted(loaded.models.items())]
    return rows


def _export(loaded: LoadedCatalogue) -> ModelOut:
    found = loaded.export.value
    return ModelOut(
        catalogue=loaded.name,
        kind="export",
        version=loaded.export.version,
        created_at=str(found.dataset.summary.get("created_at")) if found else None,
        problem=loaded.export.problem,
        items=len(found.catalogue) if found else None,
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
        arms=arms_of(state, catalogue) if kind in LEARNING else [],
    )


def _weights(state: ServingState, catalogue: str) -> str | None:
    labels = (weights_summary(state, name, catalogue) for name in state.use_cases)
    return "; ".join(dict.fromkeys(filter(None, labels))) or None


def _label(model: Artifact | None) -> str | None:
    labels = model.manifest.parameters.get("label") if model else None
    return labels if isinstance(labels, str) and labels else None


def arms_of(state: ServingState, catalogue: str) -> list[ArmOut]:
    """The arms of every bandit over a catalogue, as its surfaces choose between them now; also before the first update."""
    found: list[ArmOut] = []
    for use_case_runtime in state.serving.recommender.runtime.use_cases.values():
        for name, plan in use_case_runtime.plans.items():
            if plan.surface.router.kind in LEARNING and plan.surface.catalogue == catalogue:
                runtime = use_case_runtime.catalogues[catalogue]
                found += _arms(name, plan.router, runtime.usable_policy(), _anybody(runtime.catalogue))
    return found


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


def _anybody(catalogue: Catalogue) -> Query:
    """A bandit's chances are the same for everybody."""
    return Query(catalogue, History.empty(), limit=1, now=0.0, eligible=np.ones(len(catalogue), dtype=np.bool_))
