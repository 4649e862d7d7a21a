"""GET /api/models and POST /api/models/reload: what serves, and looking again at once."""

import os

from apiflask import APIBlueprint
from flask import Response, request

from recommendation_service.services.live import Live
from recommendation_service.signing import ADMIN, ANY
from recommendation_service.web.context import doorkeeper, json_response, live
from recommendation_service.web.schemas import ModelOut, ModelsOut, ReloadOut

blueprint = APIBlueprint("models", __name__, url_prefix="/api/models", tag="Models")


@blueprint.get("")
@blueprint.output(ModelsOut)
def models() -> Response:
    """List the models and exports that this worker serves."""
    caller = doorkeeper().caller(request)
    if not caller.scopes & {ANY, ADMIN}:
        caller.require(ADMIN)
    return json_response(ModelsOut(models=listing(live()), worker=os.getpid()).model_dump())


@blueprint.post("/reload")
@blueprint.output(ReloadOut)
def reload() -> Response:
    """Look for new models now.

    Only in the worker that got the request; the others look by themselves every RS_RELOAD_SECONDS.
    """
    doorkeeper().caller(request).require(ADMIN)
    return json_response({"changed": live().refresh(), "worker": os.getpid()})


def listing(held: Live) -> list[ModelOut]:
    """Every export and model kind of every catalogue, whether it serves or why not."""
    rows = []
    for holding in held.holdings.values():
        export = holding.export
        created = str(export.value.dataset.summary.get("created_at")) if export.value else None
        rows.append(_row(holding.name, "export", export.version, created, export.problem))
        for kind, model in sorted(holding.models.items()):
            created = model.value.manifest.created_at if model.value else None
            rows.append(_row(holding.name, kind, model.version, created, model.problem))
    return rows


def _row(catalogue: str, kind: str, version: str | None, created_at: str | None, problem: str | None) -> ModelOut:
    return ModelOut(catalogue=catalogue, kind=kind, version=version, created_at=created_at, problem=problem)
