"""POST /api/estimates/<use_case>/<name>."""

from apiflask import APIBlueprint
from flask import Request, Response, g, request
from pydantic import ValidationError

from recommendation_service.domain.answer import EstimatedRange, EstimatesAnswer
from recommendation_service.domain.side import Side
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
    principal, held = authenticator().principal(request), live()
    serving = held.serving  # one look, so that the whole answer is of one moment
    service = EstimateService(held.use_cases, serving.estimators)
    if not principal.may_ask_about(CONTEXT):
        raise service.nothing_here()
    asked = _asked(request)
    g.request_id = asked.request_id or g.request_id
    g.state = serving.state
    found = service.estimate(use_case, name, *_sides(asked))
    metrics.ESTIMATES.labels(use_case, name).inc()
    return json_response(_answer(found, use_case, name, request_id=g.request_id))


def _asked(request: Request) -> EstimateIn:
    if request.args:
        name = min(request.args)
        raise InvalidInput(f"{name}: a POST takes everything in its body", fields={f"/{name}": "not allowed in the query"})
    try:
        asked = EstimateIn.model_validate(request_parsing.parse_json(request))
    except ValidationError as error:
        raise request_parsing.invalid(error) from error
    met: set[str] = set()
    for place, one in enumerate(asked.offers):
        if one.item_id in met:
            raise InvalidInput("an offer is there twice", fields={f"/offers/{place}/item_id": "is that of an earlier offer"})
        met.add(one.item_id)
    return asked


def _sides(asked: EstimateIn) -> tuple[Side, Side]:
    context = Side.of([asked.context.id], [asked.context.numbers], [asked.context.words])
    offers = asked.offers
    ids = [one.item_id for one in offers]
    return context, Side.of(ids, [one.numbers for one in offers], [one.words for one in offers])


def _answer(estimates: Estimates, use_case: str, name: str, *, request_id: str) -> EstimatesAnswer:
    ranges = [
        EstimatedRange(item_id=item_id, minimum=low, optimal=middle, maximum=high)
        for item_id, (low, middle, high) in zip(estimates.ids, estimates.amounts.tolist(), strict=True)
    ]
    return EstimatesAnswer(
        request_id=request_id, use_case=use_case, estimator=name, model_version=estimates.model_version, estimates=ranges
    )
