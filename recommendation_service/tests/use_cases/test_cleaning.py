"""The marketplace's file: what it states, and what a file about pairs must say."""

from pathlib import Path
from typing import Any

import pytest

from recommendation_service.datasets.pair_features import DERIVED
from recommendation_service.datasets.pair_rules import read_rules
from recommendation_service.errors import ConfigurationError
from recommendation_service.use_cases.loader import PACKAGED, load, load_file

CLEANING = load("cleaning")


def spoiled(folder: Path, old: str, new: str) -> Path:
    text = (PACKAGED / "cleaning.toml").read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    path = folder / "cleaning.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_a_network_reads_eighteen_numbers_scaled_as_the_list_says() -> None:
    assert CLEANING.pairs is not None
    told = {one.name: (one.offset, one.scale, one.log1p) for one in CLEANING.pairs.features}
    assert len(CLEANING.pairs.features) == len(told) == 18
    assert (told["latitude"], told["longitude"]) == ((37.9838, 0.15, False), (23.7275, 0.15, False))  # Athens and its reach
    assert told["size_m2"] == told["bid"] == (0, 1000, False)
    assert told["distance_km"] == (0, 50, False)
    assert told["total_jobs"][2]
    quality = ("overall", "quality", "communication", "professionalism", "timeliness")
    assert all(told[f"{name}_score"] == (0, 100, False) for name in quality)
    assert {"hours", "eco_wanted", "completion_rate", "on_time_rate", "average_rating", "hour_of_day", "day_of_week"} < set(
        told
    )
    assert CLEANING.pairs.embedding_columns == ("property_type",)


def test_rules_lead_by_six_to_four_on_their_own_scale() -> None:
    assert CLEANING.engines["ensemble"].options == {"members": {"rule_based": 0.6, "neural": 0.4}, "scale": "as_scored"}


def test_the_parts_of_a_rule_based_score_sum_to_one_and_are_those_of_the_breakdown() -> None:
    rules = read_rules(CLEANING.engines["rule_based"].options["parts"], where="cleaning")
    assert [rule.name for rule in rules] == ["quality", "location", "specialization", "pricing", "availability"]
    assert sum(rule.weight for rule in rules) == pytest.approx(1)


def test_a_bid_that_is_not_placed_yet_is_what_the_cleaner_would_usually_ask() -> None:
    assert CLEANING.pairs is not None
    assert CLEANING.pairs.derived["bid"].options == {"rate": "usual_rate", "amount": "hours"}
    assert {part.kind for part in CLEANING.pairs.derived.values()} <= set(DERIVED)


@pytest.mark.parametrize(
    ("name", "catalogue", "context"),
    [
        ("cleaners-for-job", "cleaners", "jobs"),
        ("jobs-for-cleaner", "jobs", "cleaners"),
    ],
)
def test_each_side_is_recommended_to_the_other_and_falls_back_to_rules(name: str, catalogue: str, context: str) -> None:
    surface = CLEANING.surfaces[name]
    assert (surface.catalogue, surface.about, surface.context) == (catalogue, "context", context)
    assert surface.fallback == ("ensemble", "rule_based", "popular")
    assert set(surface.strategies) == {"rule_based", "neural", "ensemble"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('context = "jobs"', 'context = "cleaners"', r"is about a context: \[pairs\] must pair 'cleaners'"),
        ('context = "jobs"', "", r"is about a context: \[pairs\] must pair 'cleaners'"),
        ('left = "jobs"', 'left = "offers"', r"\[pairs\] pairs 'offers'; catalogues are cleaners, jobs"),
        ('left = "jobs"', 'left = "cleaners"', r"\[pairs\] pairs 'cleaners' with itself; name two catalogues"),
        ('jobs = "client_id"', 'work = "client_id"', r"\[pairs\] names the owner column of 'work'; it pairs cleaners, jobs"),
        ("[pairs]", "[pairing]", "pairing: unknown key; use 'pairs'"),
        ('left = "jobs"', 'left = "jobs"\nfirst = "jobs"', "pairs.first: unknown key; use 'left'"),
        ('name = "size_m2", scale = 1000', 'name = "size_m2", over = 1000', "over: unknown key; use 'scale'"),
        ('name = "size_m2", scale = 1000', 'name = "size_m2", scale = 0', "Input should be greater than 0"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        load_file(spoiled(tmp_path, old, new))


def test_a_context_without_the_word_is_a_mistake(tmp_path: Path) -> None:
    text = (
        (PACKAGED / "cleaning.toml")
        .read_text(encoding="utf-8")
        .replace('about = "context"\ncontext = "jobs"', 'context = "jobs"')
    )
    (tmp_path / "cleaning.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="'cleaners-for-job' names a context, 'jobs', and is about user; say context"):
        load_file(tmp_path / "cleaning.toml")


def test_a_file_without_pairs_has_no_surface_about_a_context() -> None:
    one: dict[str, Any] = CLEANING.model_dump()
    with pytest.raises(ValueError, match=r"\[pairs\] must pair"):
        type(CLEANING).model_validate({**one, "pairs": None})
