"""POST /api/estimates/<use_case>/<name>."""

from apiflask import APIBlueprint
from flask import Response, g, request

from recommendation_service.domain.answer import EstimatesAnswer
from recommendation_service.domain.request import EstimateRequest
from recommendation_service.services.estimate_service import EstimateService
from recommendation_service.web import metrics
from recommendation_service.web.auth import CONTEXT
from recommendation_service.web.middleware import context
from recommendation_service.web.payloads import json_response, parse_body

blueprint = APIBlueprint("estimates", __name__, url_prefix="/api/estimates", tag="Estimates")


@blueprint.post("/<use_case>/<name>")
@blueprint.output(EstimatesAnswer)
def estimate(use_case: str, name: str) -> Response:
    """Estimate a number with a range, such as what to bid.

    One estimate per offer, such as a cleaner, for one context, such as a job. Needs a token with the scope recs:any, because
    an estimate reveals data about the job.
    """
    parts = context()
    principal, state = parts.authenticator.principal(request), parts.live
    serving = state.serving  # read once, so that the answer is made from one snapshot
    service = EstimateService(state.use_cases, serving.estimators)
    if not principal.may_ask_about(CONTEXT):
        raise service.not_found()
    parsed = parse_body(EstimateRequest)
    g.request_id = parsed.request_id or g.request_id
    g.state = serving.state
    answer = service.estimate(parsed, use_case=use_case, name=name, request_id=g.request_id)
    metrics.ESTIMATES.labels(use_case, name).inc()
    return json_response(answer)
