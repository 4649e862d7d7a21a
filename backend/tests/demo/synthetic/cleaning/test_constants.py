"""The stated shares, in the list's own numbers."""

import numpy as np
import pytest

from demo.synthetic.cleaning.constants import BUDGETS, KINDS, TIERS, size_factor
from sites.cleaning.models import Cleaner, Client, PropertyType


@pytest.mark.parametrize(
    ("tier", "share", "marks", "rates"),
    [
        (Cleaner.Tier.PREMIUM, 0.15, (9, 10), (25, 35)),
        (Cleaner.Tier.EXPERIENCED, 0.30, (7, 9), (18, 25)),
        (Cleaner.Tier.AVERAGE, 0.40, (6, 8), (12, 18)),
        (Cleaner.Tier.BUDGET, 0.15, (5, 7), (8, 12)),
    ],
)
def test_tiers_are_as_the_list_states_them(
    tier: Cleaner.Tier, share: float, marks: tuple[int, int], rates: tuple[int, int]
) -> None:
    assert (TIERS[tier].share, TIERS[tier].marks, TIERS[tier].rates) == (share, marks, rates)


def test_every_budget_and_kind_there_is_has_its_rules_and_shares_are_whole() -> None:
    assert set(BUDGETS) == set(Client.Budget)
    assert set(KINDS) == set(PropertyType)
    for table in (TIERS, BUDGETS, KINDS):
        assert sum(rules.share for rules in table.values()) == pytest.approx(1)


def test_an_hour_on_a_larger_property_costs_more_up_to_a_point() -> None:
    found = size_factor(np.array([0.0, 100.0, 350.0, 5000.0]))
    assert found == pytest.approx([0.9, 1.0, 1.25, 1.25])
