"""Athens: within the stated box, by its real districts."""

import numpy as np
import pytest

from demo.synthetic.cleaning.locations import CENTRE, DISTRICTS, HALF_BOX, km_between, some_spots
from sites.cleaning.models import Property


def test_the_box_is_as_stated() -> None:
    assert (CENTRE, HALF_BOX) == ((37.9838, 23.7275), 0.15)


def test_every_place_lies_in_the_box_and_within_a_kilometre_of_the_middle_of_its_district() -> None:
    spots = some_spots(np.random.default_rng(3), 20_000)
    assert np.abs(spots.latitude - 37.9838).max() <= 0.15
    assert np.abs(spots.longitude - 23.7275).max() <= 0.15
    middles = np.array([(one.latitude, one.longitude) for one in DISTRICTS])[spots.district]
    assert np.hypot(spots.latitude - middles[:, 0], (spots.longitude - middles[:, 1]) * 0.788).max() * 111.2 < 1.2


def test_people_live_in_every_district_and_more_in_the_larger_ones() -> None:
    counts = np.bincount(some_spots(np.random.default_rng(3), 20_000).district, minlength=len(DISTRICTS))
    assert counts.min() > 0
    assert np.corrcoef(counts, [one.people for one in DISTRICTS])[0, 1] > 0.95


def test_districts_have_names_of_their_own_that_fit_their_column() -> None:
    names = [one.name for one in DISTRICTS]
    assert len(set(names)) == len(names) >= 40
    assert max(map(len, names)) <= (Property._meta.get_field("district").max_length or 0)


def test_no_two_districts_share_a_middle() -> None:
    north, east = (np.array([getattr(one, name) for one in DISTRICTS]) for name in ("latitude", "longitude"))
    km = km_between(north, east, north, east)
    assert km[~np.eye(len(DISTRICTS), dtype=bool)].min() > 0.3


def test_kilometres_are_those_on_the_great_circle() -> None:
    """From Syntagma to the middle of Kifisia it is 12.8 km, and to Glyfada 12.0."""
    km = km_between(np.array([37.9755]), np.array([23.7348]), np.array([38.0740, 37.8700]), np.array([23.8110, 23.7600]))
    assert km.shape == (1, 2)
    assert km[0] == pytest.approx([great_circle(38.0740, 23.8110), great_circle(37.8700, 23.7600)], rel=0.005)


def great_circle(north: float, east: float) -> float:
    a, b, c, d = np.radians([37.9755, 23.7348, north, east])
    return float(6371 * np.arccos(np.sin(a) * np.sin(c) + np.cos(a) * np.cos(c) * np.cos(b - d)))
