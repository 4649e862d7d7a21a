"""What is said of each part."""

import pytest

from sites.cleaning.models import CleanerScore
from sites.cleaning.scoring.service import SENTENCES, WEIGHTS


def test_every_part_has_its_sentence() -> None:
    assert set(SENTENCES) == set(WEIGHTS)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("quality", "No reviews yet; counted as an average cleaner."),
        ("reliability", "No job has ended yet; counted as an average cleaner."),
        ("experience", "No jobs done yet."),
        ("bidding", "Has not bid yet; counted as an average bidder."),
        ("activity", "0 jobs in the last 30 days, 0 in 90."),
    ],
)
def test_of_somebody_new_it_says_what_is_not_known(part: str, said: str) -> None:
    assert SENTENCES[part](CleanerScore()) == said


def test_what_is_unknown_is_left_out() -> None:
    row = CleanerScore(completion_rate=0, cancellation_rate=1, bid_count=2, usual_rate=14.5)
    assert SENTENCES["reliability"](row) == "Completed 0% of their jobs, cancelled 100%."
    assert SENTENCES["bidding"](row) == "2 bids, none decided yet; €14.50 an hour on average."


def test_thousands_are_set_apart() -> None:
    row = CleanerScore(total_jobs=120, total_earnings=12_345.6, review_count=88, average_rating=8.94)
    assert SENTENCES["experience"](row) == "120 jobs done, €12,346 earned."
    assert SENTENCES["quality"](row) == "8.9 of 10 on average in 88 reviews."
