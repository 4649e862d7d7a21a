"""What is said of each part of a cleaner's score, in plain words."""

from collections.abc import Callable, Mapping

from sites.cleaning.models import CleanerScore


def of(part: str, row: CleanerScore) -> str:
    """The sentence of one part."""
    return SENTENCES[part](row)


def _quality(row: CleanerScore) -> str:
    if not row.review_count or row.average_rating is None:
        return "No reviews yet; counted as an average cleaner."
    return f"{row.average_rating:.1f} of 10 on average in {_many(row.review_count, 'review')}."


def _reliability(row: CleanerScore) -> str:
    if row.completion_rate is None:
        return "No job has ended yet; counted as an average cleaner."
    said = [f"Completed {row.completion_rate:.0%} of their jobs"]
    if row.on_time_rate is not None:
        said.append(f"{row.on_time_rate:.0%} on time")
    said.append(f"cancelled {row.cancellation_rate or 0:.0%}")
    if row.photo_rate is not None:
        said.append(f"photos of {row.photo_rate:.0%}")
    return ", ".join(said) + "."


def _experience(row: CleanerScore) -> str:
    if not row.total_jobs:
        return "No jobs done yet."
    return f"{_many(row.total_jobs, 'job')} done, €{row.total_earnings:,.0f} earned."


def _bidding(row: CleanerScore) -> str:
    if not row.bid_count or row.usual_rate is None:
        return "Has not bid yet; counted as an average bidder."
    won = "none decided yet" if row.win_rate is None else f"{row.win_rate:.0%} of those decided were won"
    return f"{_many(row.bid_count, 'bid')}, {won}; €{row.usual_rate:.2f} an hour on average."


def _activity(row: CleanerScore) -> str:
    return f"{_many(row.jobs_30_days, 'job')} in the last 30 days, {row.jobs_90_days} in 90."


def _many(count: float, noun: str) -> str:
    return f"{count:.0f} {noun}" + ("" if count == 1 else "s")


SENTENCES: Mapping[str, Callable[[CleanerScore], str]] = {
    "quality": _quality,
    "reliability": _reliability,
    "experience": _experience,
    "bidding": _bidding,
    "activity": _activity,
}
