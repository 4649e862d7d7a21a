"""Athens: its districts, and where in them people live. Everything lies within 0.15 degrees of the centre."""

import csv
from typing import NamedTuple

import numpy as np

from demo.synthetic.simulation import Floats, Ints, Rng, drawn
from demo.synthetic.vocabulary import FOLDER

CENTRE = (37.9838, 23.7275)  # degrees north, degrees east
HALF_BOX = 0.15
KM_A_DEGREE = 111.195
_SPREAD = 0.0035  # degrees, about 400 m; twice that is the furthest, so that places by the sea stay on land


class District(NamedTuple):
    """One district by the middle of its built-up part, and how many live there against the others."""

    name: str
    latitude: float
    longitude: float
    people: float


with (FOLDER / "districts.csv").open(encoding="utf-8", newline="") as _file:
    DISTRICTS = tuple(
        District(row["name"], float(row["latitude"]), float(row["longitude"]), float(row["people"]))
        for row in csv.DictReader(_file)
    )


class Spots(NamedTuple):
    """(n,) districts by number, and degrees within them."""

    district: Ints
    latitude: Floats
    longitude: Floats


def some_spots(rng: Rng, n: int) -> Spots:
    """`n` places where people live: more in the larger districts, each near the middle of its district."""
    district = drawn(rng, [one.people for one in DISTRICTS], n)
    middles = np.array([(one.latitude, one.longitude) for one in DISTRICTS])[district]
    off = np.clip(rng.normal(0.0, _SPREAD, size=(n, 2)), -2 * _SPREAD, 2 * _SPREAD)
    spots = np.round(middles + off * (1.0, 1.0 / np.cos(np.radians(CENTRE[0]))), 6)
    return Spots(district, spots[:, 0], spots[:, 1])


def km_between(latitudes: Floats, longitudes: Floats, to_latitudes: Floats, to_longitudes: Floats) -> Floats:
    """(n, m) kilometres between every place and every other, on a plane: within one city that is near enough."""
    north = latitudes[:, None] - to_latitudes
    east = (longitudes[:, None] - to_longitudes) * np.cos(np.radians(CENTRE[0]))
    return np.asarray(KM_A_DEGREE * np.hypot(north, east))
