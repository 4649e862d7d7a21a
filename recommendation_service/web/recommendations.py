"""GET and POST /api/recommendations/<use_case>/<surface>[/<subject>]."""

from collections.abc import Mapping
from datetime import UTC, datetime

from apiflask import APIBlueprint
from flask import Response, g, request

from recommendation_service.domain.answer import Answer, AnswerItem, AnswerSkip, AnswerStage
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.slate import Slate
from recommendation_service.errors import NotFound, Unavailable
from recommendation_service.services.serving import ServingSnapshot, ServingState
from recommendation_service.use_cases.schema import Surface, UseCase
from recommendation_service.web import metrics, request_parsing
from recommendation_service.web.auth import CONTEXT, Principal
from recommendation_service.web.middleware import authenticator, json_response, live
from recommendation_service.web.schemas import AskIn

MAX_OFFERS_BYTES = 1_000_000  # 500 offers of 40 numbers each; services only

blueprint = APIBlueprint("recommendations", __name__, url_prefix="/api/recommendations", tag="Recommendations")


@blueprint.get("/<use_case>/<surface>")
@blueprint.output(Answer)
def list_for_nobody(use_case: str, surface: str) -> Response:
    """Recommend without a user.

    The list for a user without a history. Any facet of the catalogue is a filter: `?category=health&category=ai`.
    """
    return _answer_get(use_case, surface, None)


@blueprint.get("/<use_case>/<surface>/<subject>")
@blueprint.output(Answer)
def list_for(use_case: str, surface: str, subject: str) -> Response:
    """Recommend to one user, or around one item.

    The surface decides what the subject is. The user's history is looked up; an unknown user gets a cold-start list.
    """
    return _answer_get(use_case, surface, subject)


@blueprint.post("/<use_case>/<surface>")
@blueprint.output(Answer)
def ask(use_case: str, surface: str) -> Response:
    """Recommend with a history in the request."""
    return _answer_post(use_case, surface, None)


@blueprint.post("/<use_case>/<surface>/<subject>")
@blueprint.output(Answer)
def ask_for(use_case: str, surface: str, subject: str) -> Response:
    """Recommend with a history in the request, the subject in the path."""
    return _answer_post(use_case, surface, subject)


def _answer_get(use_case_name: str, surface_name: str, subject: str | None) -> Response:
    principal = authenticator().principal(request)
    surface = _find(live(), use_case_name, surface_name, principal)
    body = request_parsing.from_query(request, surface, subject)
    return _answer(principal, use_case_name, surface_name, surface, body)


def _answer_post(use_case_name: str, surface_name: str, subject: str | None) -> Response:
    principal = authenticator().principal(request)
    surface = _find(live(), use_case_name, surface_name, principal)
    if surface.about == CONTEXT:
        request.max_content_length = MAX_OFFERS_BYTES
    body = request_parsing.from_body(request, surface, subject)
    return _answer(principal, use_case_name, surface_name, surface, body)


def _answer(principal: Principal, use_case: str, surface_name: str, surface: Surface, body: AskIn) -> Response:
    if not principal.may_ask_for(body.user_id):
        raise _not_found(live().use_cases)
    serving = live().serving  # read once, so that the answer is made from one snapshot
    catalogue = _catalogue(serving, use_case, surface)
    request_parsing.check_filters(body.filters, catalogue.facets if body.offers is None else ())
    ask_ = request_parsing.to_ask(body, use_case, surface_name, request_id=body.request_id or g.request_id)
    g.request_id = ask_.request_id
    g.state = serving.state
    slate = serving.recommender.recommend(ask_)
    _count(slate)
    return json_response(answer_of(slate))


def _find(state: ServingState, use_case_name: str, surface_name: str, principal: Principal) -> Surface:
    use_case = state.use_cases.get(use_case_name)
    surface = use_case.surfaces.get(surface_name) if use_case else None
    if surface is None or not principal.may_ask_about(surface.about):
        raise _not_found(state.use_cases)
    return surface


def _not_found(use_cases: Mapping[str, UseCase]) -> NotFound:
    """One error for what does not exist and for what the caller may not see."""
    known = ", ".join(f"{name}/{surface}" for name, entry in sorted(use_cases.items()) for surface in sorted(entry.surfaces))
    return NotFound(f"nothing here, or not yours to see; there are {known or 'no use cases'}")


def _catalogue(serving: ServingSnapshot, use_case: str, surface: Surface) -> Catalogue:
    if use_case not in serving.engines or surface.catalogue not in serving.catalogues:
        raise Unavailable(f"no export of {surface.catalogue} yet; run: manage.py generate_all_datasets")
    return serving.catalogues[surface.catalogue]


def _count(slate: Slate) -> None:
    degraded = "true" if slate.degraded else "false"
    metrics.ANSWERS.labels(slate.use_case, slate.surface, slate.method_used, degraded).inc()
    for skip in slate.degradation:
        metrics.SKIPS.labels(skip.engine, skip.code).inc()


def answer_of(slate: Slate) -> Answer:
    """The slate as the answer that leaves."""
    return Answer(
        request_id=slate.request_id,
        use_case=slate.use_case,
        surface=slate.surface,
        user_id=slate.user_id,
        method_used=slate.method_used,
        degraded=slate.degraded,
        degradation=[AnswerSkip(engine=skip.engine, code=skip.code, detail=skip.detail) for skip in slate.degradation],
        model_version=slate.model_version,
        generated_at=datetime.fromtimestamp(slate.generated_at, UTC).isoformat(timespec="milliseconds"),
        interaction_count=slate.interaction_count,
        probabilities=dict(slate.probabilities),
        stages=[AnswerStage(name=stage.name, ms=stage.ms, detail=stage.detail) for stage in slate.stages],
        recommendations=[
            AnswerItem(
                item_id=shown.item_id,
                title=shown.title,
                score=shown.score,
                position=shown.position,
                reasons=[reason.text for reason in shown.reasons],
                parts=dict(shown.parts),
            )
            for shown in slate.recommendations
        ],
    )
