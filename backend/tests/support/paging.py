"""What tests of the page say to it and read of it, and a service's answer made up from the board."""

import re
from typing import Any

from django.http import HttpResponse
from django.test import Client

from sites.startups.models import Startup


def answer_to(ask: dict[str, Any], where: dict[str, Any], method: str, degradation: list[dict[str, str]]) -> dict[str, Any]:
    gone = set(ask["exclude"]) | {event["item_id"] for event in ask["history"]}
    ids = [str(startup.pk) for startup in Startup.objects.order_by("pk") if str(startup.pk) not in gone]
    items = [
        {"item_id": item_id, "title": "", "score": 1 - place / 100, "position": place + 1, "reasons": ["Matches fintech"],
         "parts": {"content_based": 0.25} if ask["explain"] else {}}
        for place, item_id in enumerate(ids[: ask["limit"]])
    ]  # fmt: skip
    return {
        **{name: (ask | where)[name] for name in ("use_case", "surface", "user_id")}, "request_id": ask["request_id"],
        "method_used": method, "degraded": bool(degradation), "degradation": degradation, "model_version": "content_v3",
        "generated_at": "2026-01-01T00:00:00+00:00", "interaction_count": len(ask["history"]), "recommendations": items,
        "probabilities": {}, "stages": [],
    }  # fmt: skip


def text_of(response: HttpResponse) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def hidden(response: HttpResponse, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', response.content.decode())
    assert found is not None
    return found[1]


def clicked(client: Client, page: HttpResponse, event: str, *, htmx: bool = False, **changes: str) -> HttpResponse:
    form = {name: hidden(page, name) for name in ("person", "item_id", "request_id", "method")}
    return client.post("/startups/action/", {**form, "event": event, **changes}, headers={"HX-Request": "true"} if htmx else {})
