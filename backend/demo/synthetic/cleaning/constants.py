"""Constants of the marketplace: tiers of cleaners, budgets of clients, kinds of property."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from demo.synthetic.simulation import Floats
from sites.cleaning.models import Cleaner, Client, PropertyType

MOST_BIDS, LEAST_BIDS = 8, 3  # bids of a job before a cleaner is chosen
VARIATION = (0.90, 1.15)  # of a bid, around its base
EARLY_H = 6.0  # bids within these hours get a bonus
TROUBLE_SHARE = 0.10  # of the jobs are cancelled or fail
REVIEWED_SHARE = 0.92  # of the completed jobs
WINDOW_DAYS = 365  # jobs are posted in these last days
LEAST = {"jobs": 20, "cleaners": 20, "clients": 10}


@dataclass(frozen=True, slots=True)
class TierRules:
    """How cleaners of one tier are made."""

    share: float
    marks: tuple[int, int]  # of a review, overall
    rates: tuple[float, float]  # € an hour
    answers_h: float  # half of the bids come sooner
    on_time: float  # chance
    photos: float  # chance that there are some
    trouble: float  # how often a job ends badly because of them, against other tiers


@dataclass(frozen=True, slots=True)
class BudgetRules:
    """Weights of clients with one budget when they choose among bids."""

    share: float
    price: float
    quality: float


@dataclass(frozen=True, slots=True)
class KindRules:
    """Sizes of properties of one kind."""

    share: float
    sizes: tuple[float, float, float]  # m²: least, middle, most
    pace: float  # m² an hour


TIERS: Mapping[Cleaner.Tier, TierRules] = {
    Cleaner.Tier.PREMIUM: TierRules(0.15, (9, 10), (25, 35), 2.0, 0.97, 0.90, 0.4),
    Cleaner.Tier.EXPERIENCED: TierRules(0.30, (7, 9), (18, 25), 8.0, 0.93, 0.70, 0.8),
    Cleaner.Tier.AVERAGE: TierRules(0.40, (6, 8), (12, 18), 16.0, 0.86, 0.50, 1.2),
    Cleaner.Tier.BUDGET: TierRules(0.15, (5, 7), (8, 12), 24.0, 0.76, 0.30, 2.0),
}
BUDGETS: Mapping[Client.Budget, BudgetRules] = {
    Client.Budget.HIGH: BudgetRules(0.25, price=0.20, quality=0.80),
    Client.Budget.MEDIUM: BudgetRules(0.45, price=0.50, quality=0.50),
    Client.Budget.LOW: BudgetRules(0.30, price=0.90, quality=0.10),
}
KINDS: Mapping[PropertyType, KindRules] = {
    PropertyType.APARTMENT: KindRules(0.28, (30, 75, 140), 26),
    PropertyType.HOUSE: KindRules(0.20, (80, 140, 260), 30),
    PropertyType.VILLA: KindRules(0.15, (160, 260, 450), 36),
    PropertyType.OFFICE: KindRules(0.18, (40, 160, 600), 48),
    PropertyType.HOLIDAY_LET: KindRules(0.19, (25, 60, 120), 24),
}


def tier_column(name: str) -> Floats:
    """Return one number of every tier, in the order of TIERS; bounds give two columns."""
    return np.array([getattr(rules, name) for rules in TIERS.values()], dtype=np.float64)


def size_factor(size_m2: Floats) -> Floats:
    """Return the price factor of a property: 0.9 for the smallest, 1.25 from 350 m²."""
    return 0.9 + np.minimum(size_m2 / 1000.0, 0.35)
