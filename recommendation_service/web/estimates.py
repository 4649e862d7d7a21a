"""POST /api/estimates/<use_case>/<name>."""

from apiflask import APIBlueprint
from flask import Request, Response, g, request
from pydantic import ValidationError

from recommendation_service.domain.answer import EstimatedRange, EstimatesAnswer
from recommendation_service.domain.side import PairSide
from recommendation_service.errors import InvalidInput
from recommendation_service.services.estimate_service import Estimates, EstimateService
from recommendation_service.web import metrics, request_parsing
from recommendation_service.web.auth import CONTEXT
from recommendation_service.web.middleware import authenticator, json_response, live
from recommendation_service.web.schemas import EstimateIn

blueprint = APIBlueprint("estimates", __name__, url_prefix="/api/estimates", tag="Estimates")


@blueprint.post("/<use_case>/<name>")
@blueprint.output(EstimatesAnswer)
def estimate(use_case: str, name: str) -> Response:
    """Estimate a number with a range, such as what to bid.

    For one thing, such as a job, met by each of the offers, such as cleaners. Needs a token with the scope recs:any, since
    it says things about somebody's job.
    """
    principal, state = authenticator().principal(request), live()
    serving = state.serving  # one look, so that the whole answer is of one moment
    service = EstimateService(state.use_cases, serving.estimators)
    if not principal.may_ask_about(CONTEXT):
        raise service.not_found()
    payload = _parse(request)
    g.request_id = payload.request_id or g.request_id
    g.state = serving.state
    estimates = service.estimate(use_case, name, *_sides(payload))
    metrics.ESTIMATES.labels(use_case, name).inc()
    return json_response(_answer(estimates, use_case, name, request_id=g.request_id))


def _parse(request: Request) -> EstimateIn:
    if request.args:
        name = min(request.args)
        raise InvalidInput(f"{name}: a POST takes everything in its body", fields={f"/{name}": "not allowed in the query"})
    try:
        payload = EstimateIn.model_validate(request_parsing.parse_json(request))
    except ValidationError as error:
        raise request_parsing.invalid(error) from error
    seen: set[str] = set()
    for index, offer in enumerate(payload.offers):
        if offer.item_id in seen:
            raise InvalidInput("an offer is there twice", fields={f"/offers/{index}/item_id": "is that of an earlier offer"})
        seen.add(offer.item_id)
    return payload


def _sides(payload: EstimateIn) -> tuple[PairSide, PairSide]:
    context = PairSide.of([payload.context.id], [payload.context.numbers], [payload.context.text_columns])
    offers = payload.offers
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
