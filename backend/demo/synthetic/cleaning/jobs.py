"""Posted jobs. The budget depends on the work, not on what the client prefers."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from demo.synthetic.cleaning.constants import KINDS, WINDOW_DAYS, size_factor
from demo.synthetic.cleaning.locations import Spots
from demo.synthetic.cleaning.people import Clients, Properties
from demo.synthetic.simulation import DAY_S, HOUR_S, Bools, Floats, Ints, Rng, drawn

GROWTH = 2.0  # ratio of the jobs per day at the end of the window to those at its start
RATE = 18.0  # € an hour that clients have in mind
_POSTED_AT = [1, 2, 4, 5, 5, 4, 4, 4, 3, 3, 4, 5, 5, 4, 3, 2]  # weights of the hours from 7 on
_FIRST_HOUR = 7


@dataclass(frozen=True, slots=True, eq=False)
class Jobs:
    """(n,) columns, the oldest first. `place` is the row of a property, `kind` an index in KINDS."""

    client: Ints
    place: Ints
    kind: Ints
    size_m2: Floats
    spots: Spots
    posted: Floats
    eco: Bools
    hours: Floats
    budget: Floats  # €
    patience: Floats  # factor of the delay of its bids


class ClientsWithProperties(NamedTuple):
    """Clients and their properties."""

    clients: Clients
    properties: Properties


def make_jobs(rng: Rng, n: int, lot: ClientsWithProperties, until: float) -> Jobs:
    """Make `n` jobs of the clients who post jobs."""
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
    """Return (n,) times in the daytime, after joining and before the end, with growing frequency."""
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
