"""A stand-in for the service's network: it says of each offer what a test wants it to say."""

import json
import socket
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.faults import Behaviour, FaultServer, http

Score = Callable[[str], float | None]  # of an item id; None: left out of the answer
STATE = "state-1"


def opinion_of(request: Mapping[str, Any], score: Score, **changes: Any) -> dict[str, Any]:
    """A good answer about the offers of `request`, with `changes` on top."""
    known = [(offer["item_id"], found) for offer in request["offers"] if (found := score(offer["item_id"])) is not None]
    known.sort(key=lambda pair: -pair[1])
    answer = {
        "request_id": request["request_id"],
        "use_case": "cleaning",
        "surface": "cleaners-for-job" if "client_id" in request["context"]["text_columns"] else "jobs-for-cleaner",
        "user_id": None,
        "method_used": "neural",
        "degraded": False,
        "degradation": [],
        "model_version": "neural_v7",
        "generated_at": "2026-01-01T00:00:00+00:00",
        "interaction_count": 0,
        "probabilities": {},
        "stages": [],
        "recommendations": [
            {
                "item_id": item_id,
                "title": "",
                "score": found,
                "position": place,
                "reasons": [],
                "parts": {"neural": found, "collaborative": found, "content": found, "alpha": 0.5},
            }
            for place, (item_id, found) in enumerate(known, start=1)
        ],
    }
    return {**answer, **changes}


def network(score: Score, *, state: str = STATE, **changes: Any) -> Behaviour:
    """Answers as the service does."""

    def behave(server: FaultServer, accepted: socket.socket, request: dict[str, Any]) -> bool:
        body = opinion_of(request, score, **changes) if request else {"status": "ok", "state": state}
        accepted.sendall(http(json.dumps(body).encode(), extra=f"X-Serving-State: {state}\r\n"))
        return True

    return behave


def always(score: float, **changes: Any) -> Behaviour:
    """Says the same of every pair."""
    return network(lambda _: score, **changes)


def questions(server: FaultServer) -> list[dict[str, Any]]:
    """What it was asked about offers, state probes left out."""
    return [asked for asked in server.asked if asked]
