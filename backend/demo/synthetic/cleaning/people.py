"""Cleaners, clients and properties, with hidden attributes such as skill, which are not written to the tables."""

from dataclasses import dataclass

import numpy as np

from demo.synthetic.cleaning.constants import BUDGETS, KINDS, WINDOW_DAYS, tier_column
from demo.synthetic.cleaning.locations import Spots, some_spots
from demo.synthetic.simulation import DAY_S, Bools, Floats, Ints, Rng, apportioned, between, drawn

LATER_SHARE = 0.3  # join within the window
IDLE_SHARE = 0.06  # of the cleaners have never bid, and of the clients have never posted
AWAY_SHARE = 0.05  # of the cleaners take no jobs now
STYLES = 3  # dimensions of a hidden trait that decides how well two people get on


@dataclass(frozen=True, slots=True, eq=False)
class Cleaners:
    """(n,) columns. `tier` and `favourite` are indices in TIERS and KINDS; times are seconds since 1970."""

    tier: Ints
    skill: Floats  # on the scale of the marks, within those of the tier
    rate: Floats  # € an hour
    favourite: Ints
    strengths: Floats  # (n, 4) of quality, communication, professionalism, timeliness against the overall mark
    style: Floats  # (n, STYLES)
    eagerness: Floats  # how often they bid, against the others; 0: never
    spots: Spots
    reach_km: Ints
    jobs_a_week: Ints
    eco: Bools
    joined: Floats
    away_from: Floats  # no bids from then on; inf: still there


@dataclass(frozen=True, slots=True, eq=False)
class Clients:
    """(n,) columns. `budget` is an index in BUDGETS."""

    budget: Ints
    mildness: Floats  # added to the marks that they give
    style: Floats
    need: Floats  # how often they post, against the others; 0: never
    joined: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Properties:
    """(n,) columns, client by client; those of one client are `first[client]` and the `many[client] - 1` after it."""

    client: Ints
    kind: Ints
    size_m2: Floats
    spots: Spots
    first: Ints
    many: Ints


def make_cleaners(rng: Rng, n: int, until: float) -> Cleaners:
    """Make `n` cleaners; skill and rate depend on the tier, the other columns do not."""
    tier = apportioned(rng, [float(share) for share in tier_column("share")], n)
    marks, rates = tier_column("marks")[tier], tier_column("rates")[tier]
    eagerness = rng.lognormal(0.0, 0.7, size=n)
    idle = _chosen(rng, n, IDLE_SHARE)
    eagerness[idle] = 0.0
    joined = _joined(rng, n, until)
    joined[idle[::2]] = until - rng.uniform(0.0, 10 * DAY_S, size=idle[::2].size)
    away_from = np.full(n, np.inf)
    away = _chosen(rng, n, AWAY_SHARE)
    away_from[away] = until - rng.uniform(3 * DAY_S, 60 * DAY_S, size=away.size)
    return Cleaners(
        tier=tier,
        skill=between(rng, marks[:, 0], marks[:, 1]),
        rate=np.round(between(rng, rates[:, 0], rates[:, 1]), 1),
        favourite=drawn(rng, [rules.share for rules in KINDS.values()], n),
        strengths=rng.normal(0.0, 0.45, size=(n, 4)),
        style=rng.normal(size=(n, STYLES)),
        eagerness=eagerness,
        spots=some_spots(rng, n),
        reach_km=rng.integers(8, 31, size=n),
        jobs_a_week=rng.integers(4, 16, size=n),
        eco=rng.random(n) < 0.45,
        joined=joined,
        away_from=away_from,
    )


def make_clients(rng: Rng, n: int, until: float) -> Clients:
    """Make `n` clients; their budget does not depend on the other columns."""
    need = np.minimum(rng.pareto(1.8, size=n) + 0.5, 7.0)
    need[_chosen(rng, n, IDLE_SHARE)] = 0.0
    return Clients(
        budget=apportioned(rng, [rules.share for rules in BUDGETS.values()], n),
        mildness=rng.normal(0.0, 0.3, size=n),
        style=rng.normal(size=(n, STYLES)),
        need=need,
        joined=_joined(rng, n, until),
    )


def make_properties(rng: Rng, clients: Clients) -> Properties:
    """Make one to three properties per client."""
    many = rng.choice([1, 2, 3], p=[0.6, 0.28, 0.12], size=clients.need.size)
    client = np.repeat(np.arange(many.size), many)
    kind = apportioned(rng, [rules.share for rules in KINDS.values()], client.size)
    least, middle, most = np.array([rules.sizes for rules in KINDS.values()])[kind].T
    sizes = np.clip(middle * rng.lognormal(0.0, 0.3, size=client.size), least, most)
    return Properties(client, kind, np.round(sizes), some_spots(rng, client.size), np.cumsum(many) - many, many)


def _joined(rng: Rng, n: int, until: float) -> Floats:
    """Draw times of joining: most before the window, some within it."""
    days_ago = WINDOW_DAYS + rng.uniform(10, 900, size=n)
    later = _chosen(rng, n, LATER_SHARE)
    days_ago[later] = rng.uniform(5, WINDOW_DAYS, size=later.size)
    return until - days_ago * DAY_S


def _chosen(rng: Rng, n: int, share: float) -> Ints:
    """Return a share of the rows, at least one, in random order."""
    return rng.permutation(n)[: max(1, round(share * n))]
