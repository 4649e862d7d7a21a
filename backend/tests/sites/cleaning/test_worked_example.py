"""The worked example of docs/guides/marketplace.md, by the code that serves."""

import re
from decimal import Decimal

import numpy as np
import pytest

from recommendation_service.core.numeric import blend
from recommendation_service.datasets.pair_features import PairTable, join_pairs
from recommendation_service.datasets.pair_rules import read_rules, rule_scores
from recommendation_service.domain.side import PairSide
from sites.cleaning.services.bid_suggestions import Known, by_rules, money
from tandem.services.pair_lists import pair_config_of, rule_options, rules_of
from tandem.use_cases import load
from tests.infra.place import ROOT

TEXT = (ROOT / "docs/guides/marketplace.md").read_text()
EXAMPLE = re.sub(r"\s+", " ", TEXT.partition("## A worked example")[2].partition("\n## ")[0])
ATHENS = (37.9838, 23.7275)
KM_PER_DEGREE = 6371.0 * np.pi / 180
FLAT = {"latitude": ATHENS[0], "longitude": ATHENS[1], "hours": 3.0, "budget": 40.0, "eco_wanted": 0.0}
KNOWN = {"overall_score": 80.0, "usual_rate": 14.0, "jobs_ahead": 2.0, "jobs_a_week": 8.0, "is_available": 1.0}
PLACES = {"base_latitude": ATHENS[0] + 13.5 / KM_PER_DEGREE, "base_longitude": ATHENS[1]}


def pair(speciality: str = "apartment", **changes: float) -> PairTable:
    job = PairSide.of(["5"], [FLAT], [{"property_type": "apartment", "client_id": "1"}])
    cleaner = PairSide.of(["7"], [{**KNOWN, **PLACES, **changes}], [{"primary_property_type": speciality}])
    return join_pairs(pair_config_of(load("cleaning")), job, cleaner)


def test_rules_give_what_the_table_adds_up_to() -> None:
    found = rule_scores(rules_of("cleaning"), pair())
    told = {
        name: (float(points), float(weight), float(adds))
        for name, points, weight, adds in re.findall(r"\| (\w+) \| [^|]+ \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|", EXAMPLE)
    }
    weights = {rule.name: rule.weight for rule in read_rules(rule_options("cleaning"), where="cleaning")}
    assert {name: row[1] for name, row in told.items()} == weights
    for name, (points, weight, adds) in told.items():
        assert float(found.parts[name][0]) == pytest.approx(points, abs=0.01)
        assert adds == pytest.approx(points * weight)
    assert float(found.total[0]) == pytest.approx(70.5, abs=0.01)
    assert "**70.5**" in EXAMPLE


def test_the_reasons_are_those_of_the_parts_from_seventy_on() -> None:
    found = pair()
    said = rule_scores(rules_of("cleaning"), found).sentences(rules_of("cleaning"), found, 0, "cleaners")
    assert said == ("High quality score (80/100)", "Specializes in this property type", "Has time this week")
    assert all(f'"{sentence}"' in EXAMPLE for sentence in said)


def test_rules_and_network_make_the_blend_of_the_page() -> None:
    network = 0.3 * 60 + 0.7 * 80
    ruled, heard = (np.array(column, dtype=np.float32) for column in ([70.5, 60.0], [network, 80.0]))
    both = blend([ruled, heard], [0.6, 0.4])
    assert f"**{network:.1f}**" in EXAMPLE
    assert all(f"**{one:.1f}**" in EXAMPLE for one in both.tolist())


def test_what_is_unknown_leaves_its_weight_to_the_others() -> None:
    newcomer = rule_scores(rules_of("cleaning"), pair("", overall_score=60.0, jobs_ahead=0.0))
    assert np.isnan(newcomer.parts["specialization"][0])
    assert float(newcomer.total[0]) == pytest.approx(60.0, abs=0.01)
    assert "/ 0.85 = **60.0**" in EXAMPLE


def test_a_bid_is_advised_as_the_page_works_it_out() -> None:
    known = Known(budget=40, asked=42, own=42, market=48, win_rate=0.3, bid_count=1, lowest=40)
    found = by_rules(known)
    minimum, optimal, maximum = (money(one) for one in (found.minimum, found.optimal, found.maximum))
    assert (minimum, optimal, maximum) == (Decimal("32.90"), Decimal("43.86"), Decimal("54.83"))
    assert f"**€{optimal}**" in EXAMPLE
    assert f"€{minimum} to €{maximum}" in EXAMPLE
