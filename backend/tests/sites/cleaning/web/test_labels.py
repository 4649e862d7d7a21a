"""What the pages say of how a list came about."""

from typing import Any

import pytest

from sites.cleaning.web import labels


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        (
            ("neural", "timeout", "the service did not answer within 0.3 s"),
            "The network did not score this list: the service did not answer",
        ),
        (("neural", "not_trained", "no model yet"), "neural has not been trained yet (no model yet)."),
        (("rule_based", "nothing_left", "nobody and nothing fits"), "Nobody and nothing fits."),
        (("neural", "strange", "something"), "neural: something."),
    ],
)
def test_what_is_missing_is_told_in_a_sentence(missing: tuple[str, str, str], told: str) -> None:
    sentence = labels.missing_label(dict(zip(("engine", "code", "detail"), missing, strict=True)))
    assert sentence.startswith(told)
    assert sentence.endswith(".")


def test_the_shares_are_those_of_the_settings(settings: Any) -> None:
    settings.RECOMMENDATION_ENSEMBLE_WEIGHTS = {"rule_based": 3, "neural": 1}
    assert labels.mode_label("ensemble") == "rules (75%) and the network (25%) together"
    assert labels.mode_label("neural") == "the network alone"
    assert labels.mode_label("rule_based") == "rules alone"
