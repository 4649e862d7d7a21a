"""What is posted, when, and for when. A posted budget follows the work, never what its client weighs."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from demo.synthetic.cleaning.constants import KINDS, WINDOW_DAYS, size_factor
from demo.synthetic.cleaning.locations import Spots
from demo.synthetic.cleaning.people import Clients, Properties
from demo.synthetic.simulation import DAY_S, HOUR_S, Bools, Floats, Ints, Rng, drawn

GROWTH = 2.0  # so many times as many jobs a day at the end of the window as at its beginning
RATE = 18.0  # € an hour that clients have in mind
_POSTED_AT = [1, 2, 4, 5, 5, 4, 4, 4, 3, 3, 4, 5, 5, 4, 3, 2]  # weights of the hours from 7 on
_FIRST_HOUR = 7


@dataclass(frozen=True, slots=True, eq=False)
class Jobs:
    """(n,) columns, the oldest first. `place` is a property, `kind` a place in KINDS."""

    client: Ints
    place: Ints
    kind: Ints
    size_m2: Floats
    spots: Spots
    posted: Floats
    eco: Bools
    hours: Floats
    budget: Floats  # €
    patience: Floats  # how much slower its bids come than others' do


class Lot(NamedTuple):
    """Who lives here, and what they have."""

    clients: Clients
    properties: Properties


def make_jobs(rng: Rng, n: int, lot: Lot, until: float) -> Jobs:
    """`n` jobs of the clients who ever post."""
    clients, properties = lot
    client = drawn(rng, clients.need, n)
    posted = _posted(rng, clients.joined[client], until)
    order = np.argsort(posted, kind="stable")
    client, posted = client[order], posted[order]
    place = properties.first[client] + np.floor(rng.random(n) * properties.many[client]).astype(np.int64)
    kind, size, where = properties.kind[place], properties.size_m2[place], properties.spots
    pace = np.array([rules.pace for rules in KINDS.values()])[kind]
    hours = np.clip(np.round(2 * size / pace * rng.uniform(0.85, 1.15, size=n)) / 2, 1.5, 12.0)
    return Jobs(
        client=client,
        place=place,
        kind=kind,
        size_m2=size,
        spots=Spots(where.district[place], where.latitude[place], where.longitude[place]),
        posted=posted,
        eco=rng.random(n) < 0.3,
        hours=hours,
        budget=np.maximum(np.round(hours * size_factor(size) * RATE * rng.lognormal(0.08, 0.22, size=n)), 10.0),
        patience=rng.lognormal(0.0, 0.5, size=n),
    )


def _posted(rng: Rng, joined: Floats, until: float) -> Floats:
    """(n,) moments by day, after joining and before the end, the more the later."""
    opens = until - WINDOW_DAYS * DAY_S
    least = np.clip((joined - opens) / (until - opens), 0.0, 1.0)  # of the window
    steep = np.log(GROWTH)
    least = np.expm1(steep * least) / (GROWTH - 1.0)
    share = np.log1p((least + rng.random(joined.size) * (1.0 - least)) * (GROWTH - 1.0)) / steep
    moments = opens + share * (until - opens)
    hour = _FIRST_HOUR + drawn(rng, _POSTED_AT, joined.size) + rng.random(joined.size)
    moments_with_hour = np.floor(moments / DAY_S) * DAY_S + hour * HOUR_S
    moments_with_hour = np.where(moments_with_hour >= until, moments, moments_with_hour)
    return np.asarray(np.ceil(np.maximum(moments_with_hour, np.maximum(opens, joined))))
