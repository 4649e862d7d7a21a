"""How the bids advised did, counted from what came of them."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from sites.cleaning.models import BidSuggestion
from sites.cleaning.statistics import suggestion_outcomes
from tests.sites.cleaning.engine_world import cleaner_at, open_job

pytestmark = pytest.mark.django_db


def advised(
    *, bid: int | None = None, won: bool | None = None, method: str = "neural", days_ago: float = 0, times: int = 1
) -> None:
    """So many suggestions of €40 to €60, and what came of them."""
    for _ in range(times):
        BidSuggestion.objects.create(
            job=open_job(),
            cleaner=cleaner_at(2),
            minimum=Decimal(40),
            optimal=Decimal(50),
            maximum=Decimal(60),
            method=method,
            client_budget=Decimal(80),
            created_at=timezone.now() - timedelta(days=days_ago),
            actual_bid=None if bid is None else Decimal(bid),
            was_used=None if bid is None else 40 <= bid <= 60,
            did_win=won,
        )


def test_the_shares_are_of_those_they_are_about() -> None:
    advised(times=2)  # nobody bid
    advised(bid=50)  # not decided yet
    advised(bid=50, won=True, times=3)
    advised(bid=50, won=False)
    advised(bid=90, won=True)
    advised(bid=90, won=False, times=2)
    (found,) = suggestion_outcomes()
    assert (found.method, found.suggested, found.bid, found.used) == ("neural", 10, 8, 5)
    assert found.used_share == pytest.approx(5 / 8)
    assert found.win_rate_used == pytest.approx(3 / 4)
    assert found.win_rate_unused == pytest.approx(1 / 3)
    assert found.coverage == pytest.approx(3 / 4)


def test_a_share_of_nothing_is_not_known() -> None:
    advised()
    (found,) = suggestion_outcomes()
    assert (found.used_share, found.win_rate_used, found.win_rate_unused, found.coverage) == (None, None, None, None)


def test_the_network_and_the_rules_are_told_apart_and_a_day_may_be_named() -> None:
    advised(bid=50, won=True)
    advised(bid=50, won=True, method="rule_based", times=2)
    advised(bid=50, won=True, days_ago=40)
    assert [(one.method, one.suggested) for one in suggestion_outcomes()] == [("neural", 2), ("rule_based", 2)]
    lately = suggestion_outcomes(since=timezone.now() - timedelta(days=30))
    assert [(one.method, one.suggested) for one in lately] == [("neural", 1), ("rule_based", 2)]


def test_without_suggestions_there_is_nothing_to_tell() -> None:
    assert suggestion_outcomes() == []
