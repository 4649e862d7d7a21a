"""A small startup board for tests: whose list is right is known without running the code."""

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from sites.startups.models import Developer, Startup
from tandem.models import CatalogueKey, Feedback, ItemKey, UserKey
from tandem.service_client import tokens
from tandem.services.record_interactions import record_interactions

SECTORS = ("fintech", "health")
PATH = "/api/recommendations/startups/for-developer/{}"


def make_startups(count: int) -> list[Startup]:
    """Startups with sectors in turn; number 0 is the oldest."""
    return Startup.objects.bulk_create(
        Startup(
            id=uuid.UUID(int=place + 1),
            name=f"Startup {place:03}",
            pitch="We build things",
            sector=SECTORS[place % 2],
            stage="seed",
            skills=["python"] if place % 3 == 0 else ["go"],
            ticket="10k-50k",
            founded_at=date(2024, 1, 1) + timedelta(days=place),
        )
        for place in range(count)
    )


def make_developer(name: str, account: User | None = None) -> Developer:
    """One developer, perhaps with a Django account."""
    return Developer.objects.create(name=name, sectors=["fintech"], skills=["python"], account=account)


def did(user_id: str, item_id: Any, event: str = "like", *, days_ago: float = 1.0, value: float | None = None) -> None:
    """Record one event through the front door."""
    row = {
        "user_id": user_id,
        "item_id": str(item_id),
        "event": event,
        "catalogue": "startups",
        "time": datetime.now(UTC) - timedelta(days=days_ago),
    }
    if value is not None:
        row["value"] = value
    (result,) = record_interactions([row], source="test")
    assert result.status == "accepted", result


def did_often(user_id: str, item_ids: list[Any], *, event: str = "like", days_ago: float = 1.0) -> None:
    """Record one event per item."""
    moment = datetime.now(UTC) - timedelta(days=days_ago)
    record_interactions(
        [
            {
                "user_id": user_id,
                "item_id": str(item_id),
                "event": event,
                "catalogue": "startups",
                "time": moment - timedelta(minutes=place),
            }
            for place, item_id in enumerate(item_ids)
        ],
        source="test",
    )


def hides(user_id: str, item_id: Any) -> None:
    """Give the verdict that keeps an item out of a person's lists."""
    user, _ = UserKey.objects.get_or_create(user_id=user_id)
    catalogue, _ = CatalogueKey.objects.get_or_create(name="startups")
    item, _ = ItemKey.objects.get_or_create(catalogue=catalogue, item_id=str(item_id))
    Feedback.objects.update_or_create(
        user=user, item=item, defaults={"verdict": Feedback.Verdict.HIDE, "time": datetime.now(UTC)}
    )


def bearer(
    subject: str, *scopes: str, seconds: int = 60, now: float | None = None, audience: tuple[str, ...] = ("backend",)
) -> dict[str, str]:
    """The header of a token for Django's doors, as the test client takes it."""
    token = tokens.issue(subject=subject, scopes=scopes or (tokens.SELF,), audience=audience, seconds=seconds, now=now)
    return {"Authorization": f"Bearer {token}"}


def service_header() -> dict[str, str]:
    """The header of a service that may ask for anyone."""
    return bearer("service", tokens.ANY)
