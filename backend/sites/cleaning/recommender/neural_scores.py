"""What the network says of a shortlist, asked of the recommendation service; or why it says nothing, in words."""

import logging
import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommendation_service.core.numeric import Floats, Ints
from sites.cleaning.conf import NEURAL
from sites.cleaning.recommender.pair_scoring import USE_CASE, Met
from tandem.client import ServiceFailed, client

log = logging.getLogger(__name__)

PART_NAMES = ("collaborative", "content")
HIGHEST = 100.0


@dataclass(frozen=True, slots=True, eq=False)
class Opinion:
    """The network's scores of k pairs, 0 to 100, NaN where it cannot say; `missing` says why it was not heard."""

    scores: Floats  # (k,)
    collaborative: Floats  # (k,) the part that knows the two people
    content: Floats  # (k,) the part that knows what they are like
    model_version: str = ""
    state: str = ""  # the service's word for all it serves
    missing: tuple[dict[str, str], ...] = ()  # engine, code, detail; with known scores: about the others

    @property
    def heard(self) -> bool:
        """Whether it says anything."""
        return bool((~np.isnan(self.scores)).any())


def silent(count: int, code: str, detail: str) -> Opinion:
    """No opinion of any of `count` pairs."""
    nothing = np.full(count, np.nan, dtype=np.float32)
    return Opinion(nothing, nothing, nothing, missing=({"engine": NEURAL, "code": code, "detail": detail},))


def network_opinion(met: Met, rows: Ints) -> Opinion:
    """Of these pairs. Never raises: a service that is away, late or wrong makes an Opinion that says so."""
    if not len(rows):
        return silent(0, "nothing_left", "there is nothing to say")
    try:
        answered = client().recommend_among(_ask(met, rows), use_case=USE_CASE, surface=met.way.surface)
    except ServiceFailed as failure:
        if failure.code != "circuit_open":  # what opened it was told already
            log.warning("rules answer alone on %s: %s", met.way.surface, failure)
        return silent(len(rows), failure.code, failure.detail)
    answer = answered.answer
    if answer["method_used"] != NEURAL:
        return silent(len(rows), *_why_not(answer))
    return _read(answer, [met.side.ids[row] for row in rows.tolist()], answered.state)


def _ask(met: Met, rows: Ints) -> dict[str, Any]:
    """The JSON of the question: what the network reads, and nobody's name."""
    of_own, of_pairs = met.columns(rows)
    words = _words(met.own, [0])[0]
    offered = _words(met.side, rows.tolist())
    ids = met.side.ids
    offers = [
        {"item_id": ids[row], "numbers": numbers, "words": told}
        for row, numbers, told in zip(rows.tolist(), of_pairs, offered, strict=True)
    ]
    return {
        "strategy": NEURAL,
        "limit": len(offers),
        "explain": True,
        "request_id": str(uuid.uuid4()),
        "context": {"id": met.own.ids[0], "numbers": of_own, "words": words},
        "offers": offers,
    }


def _words(side: Any, rows: list[int]) -> list[dict[str, str]]:
    columns = {name: column.tolist() for name, column in side.words.items()}
    return [{name: column[row] for name, column in columns.items() if column[row]} for row in rows]


def _read(answer: dict[str, Any], ids: list[str], state: str) -> Opinion:
    place_of = {item_id: place for place, item_id in enumerate(ids)}
    told = {name: np.full(len(ids), np.nan, dtype=np.float32) for name in (NEURAL, *PART_NAMES)}
    for item in answer["recommendations"]:
        place, parts = place_of[item["item_id"]], item["parts"]
        told[NEURAL][place] = parts.get(NEURAL, item["score"])
        for name in PART_NAMES:
            told[name][place] = parts.get(name, np.nan)
    if any(bool(((column < 0) | (column > HIGHEST)).any()) for column in told.values()):
        return silent(len(ids), "bad_answer", "the service's answer was refused: its scores are not 0 to 100")
    unknown = int(np.isnan(told[NEURAL]).sum())
    if unknown == len(ids):
        return silent(len(ids), "no_prediction", "the network can say nothing of these")
    about = f"the network cannot say for {unknown} of {len(ids)}; there the rules stand alone"
    missing = ({"engine": NEURAL, "code": "partial", "detail": about},) if unknown else ()
    return Opinion(told[NEURAL], told["collaborative"], told["content"], answer["model_version"], state, missing)


def _why_not(answer: dict[str, Any]) -> tuple[str, str]:
    """Code and words of what the service says about its network."""
    for skip in answer["degradation"]:
        if skip["engine"] == NEURAL:
            return skip["code"], skip["detail"]
    return "no_prediction", f"the service answered by {answer['method_used'][:40]}, not by its network"
