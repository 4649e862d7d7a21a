"""Districts of Athens and locations in them, all within 0.15 degrees of the centre."""

import csv
from typing import NamedTuple

import numpy as np

from demo.synthetic.simulation import Floats, Ints, Rng, drawn
from demo.synthetic.vocabulary import FOLDER

CENTRE = (37.9838, 23.7275)  # degrees north, degrees east
HALF_BOX = 0.15
KM_A_DEGREE = 111.195
_SPREAD = 0.0035  # degrees, about 400 m; at most twice that, so that locations by the sea stay on land


class District(NamedTuple):
    """A district: the middle of its built-up part, and its relative population."""

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
    """(n,) indices of districts, and degrees."""

    district: Ints
    latitude: Floats
    longitude: Floats


def some_spots(rng: Rng, n: int) -> Spots:
    """Draw `n` locations: more in larger districts, each near the middle of its district."""
    district = drawn(rng, [district.people for district in DISTRICTS], n)
    middles = np.array([(where.latitude, where.longitude) for where in DISTRICTS])[district]
    off = np.clip(rng.normal(0.0, _SPREAD, size=(n, 2)), -2 * _SPREAD, 2 * _SPREAD)
    spots = np.round(middles + off * (1.0, 1.0 / np.cos(np.radians(CENTRE[0]))), 6)
    return Spots(district, spots[:, 0], spots[:, 1])


def km_between(latitudes: Floats, longitudes: Floats, to_latitudes: Floats, to_longitudes: Floats) -> Floats:
    """Return (n, m) kilometres between all pairs, on a plane, which is exact enough within a city."""
    north = latitudes[:, None] - to_latitudes
    east = (longitudes[:, None] - to_longitudes) * np.cos(np.radians(CENTRE[0]))
    return np.asarray(KM_A_DEGREE * np.hypot(north, east))
