"""Lists about a context, from the site's rows of today: scored by the rules of the use-case file and by the service.

The rules score every candidate here. The service scores the best hundred of them. Without the service the rules alone
order the list, and the answer reports it.
"""

import logging
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any

import numpy as np
from pydantic import ValidationError

from recommendation_service.core.numeric import Bools, Floats, Ints, blend, top_rows
from recommendation_service.datasets.pair_features import PairTable, join_pairs
from recommendation_service.datasets.pair_rules import RulePart, RuleScores, read_rules, rule_scores
from recommendation_service.domain.request import Context, Offer, invalid_input
from recommendation_service.domain.request import RecommendationRequest as ServiceRequest
from recommendation_service.domain.side import PairSide
from recommendation_service.errors import ConfigurationError
from recommendation_service.use_cases.schema import PairConfig, UseCase
from tandem.service_client.client import ServiceFailed, client
from tandem.services.recommendation_request import RecommendationRequest
from tandem.sources import CandidateSet
from tandem.surfaces import BoundSurface
from tandem.use_cases import load

log = logging.getLogger(__name__)

SHORTLIST = 100  # the service scores this many candidates, the best by the rules; no list is longer
HIGHEST_SCORE = 100.0
DEGRADED_SECONDS = 3  # the service may be back at any moment
REMEMBERED_SIDES = 4  # the columns of 10,000 candidates take under 2 MB
RULES = "attributes"  # engine kind whose scores are computed here

_sides: dict[tuple[str, ...], PairSide] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class ScoredPairs:
    """The subject with each of n candidates, and the scores of the rules."""

    subject: PairSide  # of length 1
    side: PairSide  # of the n candidates
    pairs: PairTable
    rules: RuleScores
    shortlist: Ints  # candidate rows that fit, the best by the rules first
    over_budget: Bools  # (n,) True: above the budget of [pairs], if within its tolerance


@dataclass(slots=True, eq=False)
class ServiceScores:
    """The service's scores of the k shortlisted pairs, 0 to 100, NaN where a member has no prediction."""

    members: dict[str, Floats] = field(default_factory=dict)  # (k,) each
    parts: dict[str, Floats] = field(default_factory=dict)  # (k,) each, such as the halves of a network
    skips: list[dict[str, str]] = field(default_factory=list)
    model_versions: list[str] = field(default_factory=list)
    state: str = ""

    def known(self, size: int) -> Any:
        """(k,) True where at least one member has a score."""
        return ~np.isnan(np.stack(list(self.members.values()))).all(axis=0) if self.members else np.zeros(size, dtype=np.bool_)


def version_of(request: RecommendationRequest, candidates: CandidateSet) -> str:
    """Return a version that changes with everything that the scores depend on, except for the service's models."""
    subject = [
        (name, column.tolist())
        for name, column in (*candidates.subject.numbers.items(), *candidates.subject.text_columns.items())
    ]
    rules = rule_options(request.bound.use_case.name)
    content = repr((candidates.version, subject, sorted(weights_of(request, candidates).items()), rules))
    return sha256(content.encode()).hexdigest()[:32]


def weights_of(request: RecommendationRequest, candidates: CandidateSet) -> dict[str, float]:
    """Return the weight above 0 of each engine that scores this list.

    They are those of the use-case file, unless the site overrides the weights of its ensemble.
    """
    engines, name = request.bound.use_case.engines, _strategy(request)
    if engines[name].kind != "ensemble":
        return {name: 1.0}
    members = engines[name].options["members"] if candidates.weights is None else candidates.weights()
    return {member: float(weight) for member, weight in members.items() if weight > 0}


def pair_answer(request: RecommendationRequest, candidates: CandidateSet) -> tuple[dict[str, Any], str]:
    """Return the answer to a request about a context, and the service's state if the service scored it."""
    rules_name = rules_engine(request.bound.use_case)
    members = [name for name in weights_of(request, candidates) if name != rules_name]
    scored = score_pairs(request, candidates, SHORTLIST if members else request.limit)
    served = service_scores(request, scored, members)
    by_service, skips = bool(served.known(scored.shortlist.size).any()), served.skips
    if not scored.shortlist.size:
        detail = candidates.unavailable or "no candidate fits"
        skips = [{"engine": rules_name, "code": "nothing_left", "detail": detail}]
    items = ranked_items(request, candidates, scored, served)
    answer = request.empty_answer(_strategy(request) if by_service else rules_name)
    answer.update(
        degraded=not scored.shortlist.size or bool(members and not by_service),
        degradation=skips,
        model_version="+".join(served.model_versions) if by_service else "",
        relaxed=_relaxed(request.bound, scored, items),
        recommendations=items,
    )
    return answer, served.state


def ranked_items(
    request: RecommendationRequest, candidates: CandidateSet, scored: ScoredPairs, served: ServiceScores
) -> list[dict[str, Any]]:
    """Return the best shortlisted pairs as items of the answer.

    Of equal scores, the pair that the rules prefer comes first, then the older row, so that the order is reproducible.
    """
    rows = scored.shortlist
    score = _blended(scored, served, weights_of(request, candidates), rules_engine(request.bound.use_case))
    order = np.lexsort((rows, -scored.rules.total[rows], -score))[: request.limit]
    return [
        _item(request, candidates, scored, served, index, round(float(score[index]), 2), position)
        for position, index in enumerate(order.tolist(), start=1)
    ]


def score_pairs(request: RecommendationRequest, candidates: CandidateSet, limit: int) -> ScoredPairs:
    """Score the subject with every candidate by the rules, and shortlist the best `limit` that fit."""
    bound = request.bound
    pair_config, subject, side = pair_config_of(bound.use_case), candidates.subject, _side(request, candidates)
    left, right = (subject, side) if bound.catalogue == pair_config.right else (side, subject)
    pairs = join_pairs(pair_config, left, right)
    scores = rule_scores(rules_of(bound.use_case.name), pairs)
    fits = candidates.fits(pairs)
    if request.exclude:
        fits = fits & ~np.isin(side.ids, request.exclude)
    within, over = _affordable(pair_config, pairs, fits, needed=request.limit)
    return ScoredPairs(subject, side, pairs, scores, top_rows(scores.total, limit, within), over)


def _affordable(pair_config: PairConfig, pairs: PairTable, fits: Bools, *, needed: int) -> tuple[Bools, Bools]:
    """(n,) the pairs within the budget, with those within its tolerance if fewer than `needed` are; (n,) those above it."""
    budget = pair_config.budget
    if budget is None:
        return fits, np.zeros_like(fits)
    price, limit = pairs.number(budget.price), pairs.number(budget.limit)
    over = np.asarray(price > limit)  # False where either is unknown
    within = fits & ~over
    if np.count_nonzero(within) < needed:
        within = fits & ~(price > limit * np.float32(1 + budget.tolerance))
    return within, over


def _relaxed(bound: BoundSurface, scored: ScoredPairs, items: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the report of the shown items above the budget; empty if there are none."""
    budget = pair_config_of(bound.use_case).budget
    above = {scored.side.ids[row] for row in scored.shortlist.tolist() if scored.over_budget[row]}
    count = sum(item["item_id"] in above for item in items)
    if budget is None or not count:
        return []
    detail = f"{count} of {len(items)} cost up to {budget.tolerance:.0%} more than the budget, because too few keep to it"
    return [{"rule": "budget", "detail": detail}]


def pair_config_of(use_case: UseCase) -> PairConfig:
    """Return how the use case pairs two catalogues. Raises ConfigurationError if its file has no such table."""
    if use_case.pairs is None:
        raise ConfigurationError(f"{use_case.name}.toml: has no [pairs]; lists about a context need it")
    return use_case.pairs


def rules_engine(use_case: UseCase) -> str:
    """Return the name of the rule-based engine. Raises ConfigurationError if the file has none."""
    engine = use_case.engine_of_kind(RULES)
    if engine is None:
        raise ConfigurationError(f"{use_case.name}.toml: has no engine of kind {RULES}, which scores pairs by rules")
    return engine[0]


@cache
def rules_of(use_case: str) -> tuple[RulePart, ...]:
    """Return the parts of the rule-based score. Raises ConfigurationError if the file has none, or a wrong one."""
    return read_rules(rule_options(use_case), where=f"{use_case}.toml: {rules_engine(load(use_case))}")


def rule_options(use_case: str) -> Mapping[str, Any]:
    """Return the parts as the use-case file writes them."""
    config = load(use_case)
    parts: Mapping[str, Any] = config.engines[rules_engine(config)].options.get("parts", {})
    return parts


def _strategy(request: RecommendationRequest) -> str:
    surface = request.bound.surface
    return str(request.strategy or surface.router.options.get("engine") or surface.fallback[0])


def _side(request: RecommendationRequest, candidates: CandidateSet) -> PairSide:
    """Return the candidates' columns; this process remembers those that many lists share."""
    source = request.bound.source
    key = (source.catalogue, candidates.side_key, repr(sorted(request.filters.items())))
    with _lock:
        side = _sides.get(key) if candidates.side_key else None
    if side is None:
        side = source.side(list(candidates.rows))
        if side is None:
            raise ConfigurationError(f"{source.__name__}.side gives no columns; lists about a context need them")
        if candidates.side_key:
            with _lock:
                while len(_sides) >= REMEMBERED_SIDES:
                    del _sides[next(iter(_sides))]
                _sides[key] = side
    return side


def _blended(scored: ScoredPairs, served: ServiceScores, weights: Mapping[str, float], rules_name: str) -> Floats:
    """(k,) the weighted mean of the members; a pair without a score of the service has the rules' score."""
    by_rules = scored.rules.total[scored.shortlist]
    columns = {rules_name: by_rules, **served.members}
    names = [name for name in weights if name in columns]
    if not served.members or not names:
        return by_rules
    mean = blend([columns[name] for name in names], [weights[name] for name in names])
    return np.where(served.known(by_rules.size) & ~np.isnan(mean), mean, by_rules)


def _item(
    request: RecommendationRequest,
    candidates: CandidateSet,
    scored: ScoredPairs,
    served: ServiceScores,
    index: int,
    score: float,
    position: int,
) -> dict[str, Any]:
    row = int(scored.shortlist[index])
    use_case = request.bound.use_case
    parts = {rules_engine(use_case): scored.rules.total[row], **{name: part[row] for name, part in scored.rules.parts.items()}}
    parts |= {name: column[index] for name, column in (*served.members.items(), *served.parts.items())}
    known = {name: round(float(value), 2) for name, value in parts.items() if not np.isnan(value)}
    reasons = scored.rules.sentences(rules_of(use_case.name), scored.pairs, row, request.bound.catalogue)
    return {
        "item_id": scored.side.ids[row],
        "title": "",
        "score": score,
        "position": position,
        "reasons": list(candidates.reasons(reasons, scored.pairs, row, known)),
        "parts": known if request.explain else {},
    }


def service_scores(request: RecommendationRequest, scored: ScoredPairs, members: list[str]) -> ServiceScores:
    """Return the service's scores of the shortlist. Never raises: a failure becomes a skip."""
    served = ServiceScores()
    for name in members if scored.shortlist.size else ():
        try:
            _ask(request, scored, name, served)
        except ServiceFailed as failure:
            if failure.code != "circuit_open":  # the failures that opened it are logged already
                log.warning("rules answer alone on %s: %s", request.bound.name, failure)
            served.skips.append({"engine": name, "code": failure.code, "detail": failure.detail})
    return served


def _ask(request: RecommendationRequest, scored: ScoredPairs, name: str, served: ServiceScores) -> None:
    """Add the scores of one member to `served`. Raises ServiceFailed."""
    use_case = request.bound.use_case
    offered = _service_request(pair_config_of(use_case), scored, name)
    response = client().recommend(offered, use_case=use_case.name, surface=request.bound.name, as_service=True)
    answer, size = response.answer, scored.shortlist.size
    if answer["method_used"] != name:
        skip = next((skip for skip in answer["degradation"] if skip["engine"] == name), None)
        detail = f"the service answered by {answer['method_used'][:40]}, not by {name}"
        raise ServiceFailed(*((skip["code"], skip["detail"]) if skip else ("no_prediction", detail)))
    columns: dict[str, Floats] = {name: np.full(size, np.nan, dtype=np.float32)}
    index_of = {scored.side.ids[row]: index for index, row in enumerate(scored.shortlist.tolist())}
    for item in answer["recommendations"]:
        index = index_of[item["item_id"]]
        for part, value in {name: item["score"], **item["parts"]}.items():
            columns.setdefault(part, np.full(size, np.nan, dtype=np.float32))[index] = value
    if any(bool(((column < 0) | (column > HIGHEST_SCORE)).any()) for column in columns.values()):
        raise ServiceFailed("bad_answer", "the service's answer was refused: its scores are not 0 to 100")
    unknown = int(np.isnan(columns[name]).sum())
    if unknown == size:
        raise ServiceFailed("no_prediction", f"{name} has no prediction for any of these")
    if unknown:
        detail = f"{name} has no prediction for {unknown} of {size}; the rules score these alone"
        served.skips.append({"engine": name, "code": "partial", "detail": detail})
    served.members[name] = columns.pop(name)
    served.parts |= columns
    served.model_versions.append(answer["model_version"])
    served.state = response.state


def _service_request(pair_config: PairConfig, scored: ScoredPairs, name: str) -> ServiceRequest:
    """Return the request to the service: the columns that its models read, without unknown values and names of people.

    Raises ServiceFailed if the site's data does not fit the limits of a request.
    """
    names = [feature.name for feature in pair_config.features]
    rows = scored.shortlist.tolist()
    about = {name: _rounded(column)[0] for name, column in scored.subject.numbers.items() if name in names}
    columns = {name: _rounded(scored.pairs.number(name)[scored.shortlist]) for name in names if name not in about}
    try:
        return ServiceRequest(
            strategy=name,
            limit=len(rows),
            explain=True,
            request_id=str(uuid.uuid4()),
            context=Context(id=scored.subject.ids[0], numbers=_known(about), text_columns=_words(scored.subject, 0)),
            offers=tuple(
                Offer(
                    item_id=scored.side.ids[row],
                    numbers=_known({name: column[index] for name, column in columns.items()}),
                    text_columns=_words(scored.side, row),
                )
                for index, row in enumerate(rows)
            ),
        )
    except ValidationError as error:
        raise ServiceFailed("invalid_request", invalid_input(error).message) from error


def _rounded(column: Floats) -> list[float | None]:
    """Return the column to six decimals, a tenth of a metre for degrees: what float32 holds, in few bytes."""
    return [None if np.isnan(value) else value for value in np.round(column.astype(np.float64), 6).tolist()]


def _known(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def _words(side: PairSide, row: int) -> dict[str, str]:
    return {name: str(column[row]) for name, column in side.text_columns.items() if column[row]}
