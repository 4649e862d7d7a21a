"""Athens: its districts, and where in them people live. Everything lies within 0.15 degrees of the centre."""

from typing import NamedTuple

import numpy as np

from demo.synthetic.cleaning.random_draws import Chance, Floats, Ints, drawn

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


DISTRICTS = (
    District("Agia Paraskevi", 38.0110, 23.8200, 6), District("Agios Dimitrios", 37.9340, 23.7340, 7),
    District("Alimos", 37.9150, 23.7270, 4), District("Ambelokipoi", 37.9880, 23.7600, 7),
    District("Argyroupoli", 37.9060, 23.7510, 4), District("Cholargos", 38.0040, 23.7950, 4),
    District("Chaidari", 38.0110, 23.6660, 4), District("Chalandri", 38.0210, 23.7990, 7),
    District("Dafni", 37.9490, 23.7370, 3), District("Egaleo", 37.9910, 23.6810, 6),
    District("Elliniko", 37.8950, 23.7500, 3), District("Exarchia", 37.9860, 23.7350, 4),
    District("Galatsi", 38.0160, 23.7540, 5), District("Gerakas", 38.0170, 23.8560, 3),
    District("Glyfada", 37.8700, 23.7600, 8), District("Ilion", 38.0330, 23.7040, 6),
    District("Ilioupoli", 37.9310, 23.7610, 6), District("Irakleio", 38.0490, 23.7670, 4),
    District("Kaisariani", 37.9670, 23.7620, 3), District("Kallithea", 37.9560, 23.7030, 8),
    District("Keratsini", 37.9670, 23.6220, 5), District("Kifisia", 38.0740, 23.8110, 7),
    District("Kolonaki", 37.9786, 23.7430, 5), District("Korydallos", 37.9820, 23.6500, 5),
    District("Koukaki", 37.9640, 23.7240, 5), District("Kypseli", 38.0010, 23.7390, 7),
    District("Marousi", 38.0530, 23.8060, 7), District("Melissia", 38.0510, 23.8320, 3),
    District("Metamorfosi", 38.0610, 23.7600, 3), District("Moschato", 37.9560, 23.6800, 3),
    District("Nea Erythraia", 38.0900, 23.8180, 3), District("Nea Filadelfeia", 38.0360, 23.7380, 4),
    District("Nea Ionia", 38.0370, 23.7560, 5), District("Nea Smyrni", 37.9450, 23.7150, 7),
    District("Nikaia", 37.9680, 23.6470, 5), District("Palaio Faliro", 37.9330, 23.7030, 6),
    District("Pangrati", 37.9680, 23.7500, 7), District("Papagou", 37.9910, 23.7940, 3),
    District("Peristeri", 38.0140, 23.6920, 8), District("Petralona", 37.9690, 23.7120, 4),
    District("Petroupoli", 38.0400, 23.6850, 4), District("Piraeus", 37.9500, 23.6540, 8),
    District("Plaka", 37.9725, 23.7290, 3), District("Psychiko", 38.0130, 23.7730, 3),
    District("Syntagma", 37.9755, 23.7348, 4), District("Tavros", 37.9680, 23.6960, 2),
    District("Vrilissia", 38.0370, 23.8300, 4), District("Vyronas", 37.9570, 23.7540, 5),
    District("Zografou", 37.9770, 23.7720, 5),
)  # fmt: skip


class Spots(NamedTuple):
    """(n,) districts by number, and degrees within them."""

    district: Ints
    latitude: Floats
    longitude: Floats


def some_spots(rng: Chance, n: int) -> Spots:
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
