"""From rules and network to one list: one score a pair, its parts, and why, in sentences."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict

from recommendation_service.core.numeric import Floats, Ints, blend, top_rows
from sites.cleaning.conf import MEMBERS, NEURAL, RULE_BASED
from sites.cleaning.recommender.neural_scores import Opinion, silent
from sites.cleaning.recommender.pair_scoring import Met

SHORTLIST = 100  # the best so many by rules are shown to the network; no list is longer
STRONG = 80.0  # from here on a part of the network's opinion is a reason
BREAKDOWN = ("quality", "location", "specialization", "pricing", "availability")
SAYS: Mapping[str, Mapping[str, str]] = {
    "cleaners": {
        "collaborative": "Clients like this one rate them highly",
        "content": "Cleaners like them did jobs like this one well",
        "new": "New here: no jobs or reviews yet",
    },
    "jobs": {
        "collaborative": "Clients like this one rate you highly",
        "content": "Cleaners like you did jobs like this one well",
        "new": "You are new here: no jobs or reviews of yours yet",
    },
}
NOTHING_STANDS_OUT = "Nothing stands out; the score is the mean of its parts"


class Row(BaseModel):
    """One place of a list, without the thing itself."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    id: str
    score: float
    rule_based_score: float | None
    neural_score: float | None
    mode: str  # what made this score
    breakdown: dict[str, float | None]
    reasons: list[str]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """k pairs of those that met, the best first."""

    rows: Ints  # (k,) of the candidates
    score: Floats  # (k,)
    opinion: Opinion  # of the k, in the same order


def shortlist(met: Met, limit: int = SHORTLIST) -> Ints:
    """The candidates that fit, the best by rules first."""
    return top_rows(met.ruled.total, limit, met.fits)


def scored(met: Met, rows: Ints, weights: Mapping[str, float], opinion: Opinion | None = None) -> Scored:
    """These candidates by `weights` of rules and network; where the network cannot say, the rules stand alone.

    Ties go to the better by rules, then to the older row, so that the same question has the same answer.
    """
    opinion = opinion or silent(len(rows), "", "")
    ruled = met.ruled.total[rows]
    blended = blend([ruled, opinion.scores], [weights[name] for name in MEMBERS])
    score = np.where(np.isnan(opinion.scores) | np.isnan(blended), ruled, blended)
    order = np.lexsort((rows, -ruled, -score))
    told = Opinion(opinion.scores[order], opinion.collaborative[order], opinion.content[order], opinion.model_version)
    return Scored(rows[order], score[order], told)


def told(met: Met, found: Scored, *, mode: str, limit: int) -> list[Row]:
    """The best of them as they are shown. `mode` made the scores of those that the network knows."""
    return [_row(met, found, place, mode) for place in range(min(limit, len(found.rows)))]


def _row(met: Met, found: Scored, place: int, mode: str) -> Row:
    row, neural = int(found.rows[place]), _known(found.opinion.scores[place])
    return Row(
        id=met.side.ids[row],
        score=round(float(found.score[place]), 2),
        rule_based_score=_known(met.ruled.total[row]),
        neural_score=neural,
        mode=RULE_BASED if neural is None else mode,
        breakdown={name: _known(met.ruled.parts[name][row]) for name in BREAKDOWN if name in met.ruled.parts},
        reasons=_reasons(met, found.opinion, place, row),
    )


def _reasons(met: Met, opinion: Opinion, place: int, row: int) -> list[str]:
    says = SAYS[met.way.catalogue]
    reasons = list(met.sentences(row))
    strong = {name: float(getattr(opinion, name)[place]) for name in ("collaborative", "content")}
    best = max(strong, key=lambda name: np.nan_to_num(strong[name], nan=-1.0))
    if strong[best] >= STRONG:
        reasons.append(says[best])
    if all(not _known(met.pairs.number(name)[row]) for name in ("review_count", "total_jobs")):
        reasons.append(says["new"])
    return reasons or [NOTHING_STANDS_OUT]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 2)


def weights_of(mode: str, ensemble: Mapping[str, float]) -> dict[str, float]:
    """What a mode listens to."""
    return dict(ensemble) if mode not in MEMBERS else {name: float(name == mode) for name in MEMBERS}


def hears_network(weights: Mapping[str, float]) -> bool:
    """Whether the network has a say at all."""
    return weights[NEURAL] > 0
