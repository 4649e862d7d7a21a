"""/livez, /readyz, /health and /metrics."""

from apiflask import APIBlueprint
from flask import Response, request

from recommendation_service.services.serving import WAITING, ServingState, weights_summary
from recommendation_service.web import metrics
from recommendation_service.web.middleware import context
from recommendation_service.web.models import listing
from recommendation_service.web.payloads import json_response
from recommendation_service.web.schemas import HealthOut, StateOut, UseCaseHealth

blueprint = APIBlueprint("status", __name__, tag="Status")


@blueprint.get("/livez")
@blueprint.output(StateOut)
def livez() -> Response:
    """Report that the process runs."""
    return json_response({"status": "ok", "detail": "", "state": ""})


@blueprint.get("/readyz")
@blueprint.output(StateOut)
def readyz() -> Response:
    """Report whether at least one catalogue can answer, with popular items at least."""
    serving = context().live.serving
    if serving.engines:
        detail = f"can answer for {', '.join(sorted(serving.engines))}"
        return json_response({"status": "ok", "detail": detail, "state": serving.state})
    detail = "no export yet; run: manage.py generate_all_datasets"
    return json_response({"status": "unavailable", "detail": detail, "state": serving.state}, 503)


@blueprint.get("/health")
@blueprint.output(HealthOut)
def health() -> Response:
    """Report what runs and what is missing, for people."""
    context().authenticator.admit_operator(request)
    state = context().live
    use_cases, models = _use_cases(state), listing(state)
    status = "ok"
    if any(entry.problem for entry in models) or not all(entry.can_answer for entry in use_cases):
        status = "degraded"
    if not any(entry.can_answer for entry in use_cases):
        status = "unavailable"
    return json_response(HealthOut(status=status, use_cases=use_cases, models=models))


@blueprint.get("/metrics")
@blueprint.doc(hide=True)
def prometheus() -> Response:
    """Return metrics in the Prometheus exposition format."""
    context().authenticator.admit_operator(request)
    return Response(metrics.render(), content_type=metrics.CONTENT_TYPE)


def _use_cases(state: ServingState) -> list[UseCaseHealth]:
    serving, rows = state.serving, []
    for name, use_case in sorted(state.use_cases.items()):
        engines = serving.engines.get(name)
        ready = {*(engines or ()), *serving.estimators.get(name, {}), *use_case.switched_off}
        absent = [catalogue for catalogue in use_case.catalogues if catalogue not in serving.catalogues]
        detail = ""
        if absent:
            detail = f"no export of {', '.join(absent)} yet; run: manage.py generate_all_datasets"
        elif lacking := sorted({*use_case.engines, *use_case.estimators} - ready):
            detail = f"not trained: {', '.join(lacking)}; run: tandem train all --use-case {name}"
        else:
            summaries = (weights_summary(state, name, catalogue) for catalogue in use_case.catalogues)
            detail = "; ".join(entry for entry in summaries if entry.endswith(WAITING))
        rows.append(UseCaseHealth(use_case=name, can_answer=engines is not None, detail=detail, engines=list(engines or ())))
    return rows
