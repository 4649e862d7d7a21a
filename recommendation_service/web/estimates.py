"""POST /api/estimates/<use_case>/<name>."""

from apiflask import APIBlueprint
from flask import Response, g, request

from recommendation_service.domain.answer import EstimatedRange, EstimatesAnswer
from recommendation_service.domain.request import EstimateRequest
from recommendation_service.domain.side import PairSide
from recommendation_service.services.estimate_service import Estimates, EstimateService
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
    estimates = service.estimate(use_case, name, *_sides(parsed))
    metrics.ESTIMATES.labels(use_case, name).inc()
    return json_response(_answer(estimates, use_case, name, request_id=g.request_id))


def _sides(parsed: EstimateRequest) -> tuple[PairSide, PairSide]:
    context = PairSide.of([parsed.context.id], [parsed.context.numbers], [parsed.context.text_columns])
    offers = parsed.offers
    ids = [offer.item_id for offer in offers]
    return context, PairSide.of(ids, [offer.numbers for offer in offers], [offer.text_columns for offer in offers])


def _answer(estimates: Estimates, use_case: str, name: str, *, request_id: str) -> EstimatesAnswer:
    ranges = [
        EstimatedRange(item_id=item_id, minimum=low, optimal=middle, maximum=high)
        for item_id, (low, middle, high) in zip(estimates.ids, estimates.amounts.tolist(), strict=True)
    ]
    return EstimatesAnswer(
        request_id=request_id, use_case=use_case, estimator=name, model_version=estimates.model_version, estimates=ranges
    )
