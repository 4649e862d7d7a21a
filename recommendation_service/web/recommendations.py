"""GET and POST /api/recommendations/<use_case>/<surface>[/<subject>]."""

import time
import unicodedata
from collections.abc import Callable
from typing import Any

from apiflask import APIBlueprint
from flask import Response, g, request

from recommendation_service.domain.answer import Answer
from recommendation_service.domain.request import RecommendationRequest, create_request
from recommendation_service.errors import InvalidInput, NotFound, Unavailable
from recommendation_service.services.serving import ServingState
from recommendation_service.use_cases.schema import Surface
from recommendation_service.web import metrics
from recommendation_service.web.auth import CONTEXT, Principal
from recommendation_service.web.middleware import context
from recommendation_service.web.payloads import json_response, parse_body

MAX_OFFERS_BYTES = 1_000_000  # 500 offers of 40 numbers each; services only
BOOLEANS = {"true": True, "1": True, "false": False, "0": False}

blueprint = APIBlueprint("recommendations", __name__, url_prefix="/api/recommendations", tag="Recommendations")


@blueprint.get("/<use_case>/<surface>")
@blueprint.output(Answer)
def list_without_user(use_case: str, surface: str) -> Response:
    """Recommend without a user.

    The list for a user without a history. Any facet of the catalogue is a filter: `?category=health&category=ai`.
    """
    return _answer(use_case, surface, None)


@blueprint.get("/<use_case>/<surface>/<subject>")
@blueprint.output(Answer)
def list_for_subject(use_case: str, surface: str, subject: str) -> Response:
    """Recommend to one user, or around one item.

    The surface decides what the subject is. The user's history is looked up; an unknown user gets a cold-start list.
    """
    return _answer(use_case, surface, subject)


@blueprint.post("/<use_case>/<surface>")
@blueprint.output(Answer)
def recommend(use_case: str, surface: str) -> Response:
    """Recommend with a history in the request."""
    return _answer(use_case, surface, None)


@blueprint.post("/<use_case>/<surface>/<subject>")
@blueprint.output(Answer)
def recommend_for_subject(use_case: str, surface: str, subject: str) -> Response:
    """Recommend with a history in the request, the subject in the path."""
    return _answer(use_case, surface, subject)


def _answer(use_case: str, surface_name: str, subject: str | None) -> Response:
    parts = context()
    principal, state = parts.authenticator.principal(request), parts.live
    surface = _find(state, use_case, surface_name, principal)
    parsed = _from_query(surface, subject) if request.method == "GET" else _from_body(surface, subject)
    if not principal.may_ask_for(parsed.user_id):
        raise _not_found(state)
    g.request_id = parsed.request_id or g.request_id
    serving = state.serving  # read once, so that the answer is made from one snapshot
    g.state = serving.state
    if use_case not in serving.engines:
        raise Unavailable(f"no export of {surface.catalogue} yet; run: manage.py generate_all_datasets")
    numbered = parsed.model_copy(update={"request_id": g.request_id})
    answer = serving.recommender.recommend(numbered, use_case=use_case, surface=surface_name, now=time.time())
    metrics.count_answer(answer)
    return json_response(answer)


def _find(state: ServingState, use_case_name: str, surface_name: str, principal: Principal) -> Surface:
    use_case = state.use_cases.get(use_case_name)
    surface = use_case.surfaces.get(surface_name) if use_case else None
    if surface is None or not principal.may_ask_about(surface.about):
        raise _not_found(state)
    return surface


def _not_found(state: ServingState) -> NotFound:
    """Return the same error for surfaces that do not exist and for lists that the caller may not see."""
    surfaces = ((name, surface) for name, entry in sorted(state.use_cases.items()) for surface in sorted(entry.surfaces))
    known = ", ".join(f"{name}/{surface}" for name, surface in surfaces)
    return NotFound(f"no such list, or you have no permission to see it; there are {known or 'no use cases'}")


def _limit(text: str, *more: str) -> Any:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 and not more else text


def _boolean(text: str, *more: str) -> Any:
    return text if more else BOOLEANS.get(text, text)


def _name(text: str, *more: str) -> Any:
    return (text, *more) if more else text


def _ids(*texts: str) -> Any:
    return texts


# of a GET; all other parameters are filters
OPTIONS: dict[str, Callable[..., Any]] = {"limit": _limit, "explain": _boolean, "strategy": _name, "exclude": _ids}


def _from_query(surface: Surface, subject: str | None) -> RecommendationRequest:
    """Return the request of a GET: the subject of the path, limit, explain, strategy, exclude, and any facet as a filter."""
    values = request.args.to_dict(flat=False)
    options = {name: read(*values.pop(name)) for name, read in OPTIONS.items() if name in values}
    filters = {name: tuple(unicodedata.normalize("NFC", value) for value in chosen) for name, chosen in values.items()}
    return create_request(**_subject(surface, subject), **options, filters=filters)


def _from_body(surface: Surface, subject: str | None) -> RecommendationRequest:
    """Return the request of a POST; a subject in the path must agree with the one in the body."""
    if surface.about == CONTEXT:
        request.max_content_length = MAX_OFFERS_BYTES
    parsed = parse_body(RecommendationRequest)
    in_path = create_request(**_subject(surface, subject)) if subject is not None else RecommendationRequest()
    for name in ("user_id", "item_ids"):
        value, other = getattr(in_path, name), getattr(parsed, name)
        if value and other and value != other:
            raise InvalidInput(f"{name} in the body is not the one in the path", fields={f"/{name}": "differs from the path"})
    subjects = {"user_id": in_path.user_id or parsed.user_id, "item_ids": in_path.item_ids or parsed.item_ids}
    return parsed.model_copy(update=subjects)


def _subject(surface: Surface, subject: str | None) -> dict[str, Any]:
    if subject is None:
        return {}
    return {"user_id": subject} if surface.about == "user" else {"item_ids": (subject,)}
