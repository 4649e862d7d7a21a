"""The marketplace's lists and jobs, made ready for its pages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sites.cleaning.api.permissions import Role
from sites.cleaning.api.visibility import Competition, coarse, competition_of, rounded, sees_address, standing_of
from sites.cleaning.models import BidSuggestion, Cleaner, CleanerScore, CleaningJob, JobBid
from sites.cleaning.services.recommendations import Recommendations
from sites.cleaning.web import labels

ALONE = Competition()


@dataclass(frozen=True, slots=True)
class Card:
    """One recommended cleaner or job."""

    thing: Any
    rank: int
    number: int | None  # the recommendation's own; None where it could not be recorded
    score: float
    reasons: tuple[str, ...]
    parts: tuple[tuple[str, float | None], ...]  # word and points
    scores: tuple[tuple[str, float | None], ...]  # "by rules" and "by the network"
    bid: JobBid | None = None  # of this cleaner for the job that the list is for
    rivals: Competition = ALONE
    standing: CleanerScore | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """One list, and how it came about."""

    cards: tuple[Card, ...]
    request_id: str
    mode_label: str
    requested_mode_label: str  # empty where it is what answered
    shortfall: tuple[str, ...]
    model_version: str


def shown_cleaners(recommendations: Recommendations, bids: Iterable[JobBid]) -> Shown:
    """Cleaners for a job, each with their bid for it."""
    own_bids = {bid.cleaner_id: bid for bid in bids if bid.status != JobBid.Status.WITHDRAWN}
    cards = [
        _card(row, row["cleaner"], bid=own_bids.get(row["cleaner"].pk), standing=standing_of(row["cleaner"]))
        for row in recommendations
    ]
    return _shown(recommendations, cards)


def shown_jobs(recommendations: Recommendations) -> Shown:
    """Jobs for a cleaner, each with its competition."""
    rivals = competition_of(row["job"] for row in recommendations)
    cards = [_card(row, row["job"], rivals=rivals.get(row["job"].pk, Competition())) for row in recommendations]
    return _shown(recommendations, cards)


@dataclass(frozen=True, slots=True)
class Deal:
    """One job with what its page says and offers."""

    job: CleaningJob
    standing: str  # in words
    rivals: Competition
    exact: bool  # the address may be told
    steps: tuple[str, ...]  # what the visitor may do now


def deals_of(jobs: Sequence[CleaningJob], role: Role) -> list[Deal]:
    """Jobs as somebody in this role sees them. One query."""
    rivals = competition_of(jobs)
    return [
        Deal(job, labels.next_label(job), rivals.get(job.pk, Competition()), sees_address(job, role), steps_of(job, role))
        for job in jobs
    ]


def steps_of(job: CleaningJob, role: Role) -> tuple[str, ...]:
    """What somebody in this role may do with the job as it is."""
    return STEPS[role].get(CleaningJob.Status(job.status), ())


def figures_of(standing: CleanerScore | None) -> tuple[tuple[str, str], ...]:
    """What is told of a cleaner's standing: word and figure; nothing of what is unknown."""
    if standing is None:
        return ()
    pairs = (
        ("Overall", _points(standing.overall_score)),
        ("Average mark", "" if standing.average_rating is None else f"{standing.average_rating:.1f} of 10"),
        ("Reviews", str(standing.review_count)),
        ("Jobs done", str(standing.total_jobs)),
        ("Completed", _share(standing.completion_rate)),
        ("On time", _share(standing.on_time_rate)),
        ("With photos", _share(standing.photo_rate)),
        ("Bids won", _share(standing.win_rate)),
    )
    return tuple(pair for pair in pairs if pair[1])


def inputs_of(advice: BidSuggestion) -> tuple[tuple[str, str], ...]:
    """What a suggested bid was made of: word and figure."""
    pairs = (
        ("The client's budget", _euros(advice.client_budget)),
        ("Usual for such a job", _euros(advice.market_average)),
        ("What you usually ask", _euros(advice.cleaner_average)),
        ("Bids you win", _share(advice.win_rate)),
        ("Bids so far", str(advice.current_bid_count)),
        ("Lowest bid", _euros(advice.lowest_bid)),
    )
    return tuple(pair for pair in pairs if pair[1])


S = CleaningJob.Status
_AS_CLIENT: Mapping[str, tuple[str, ...]] = {
    S.OPEN: ("cancel",),
    S.BIDDING: ("accept", "cancel"),
    S.ACCEPTED: ("cancel", "fail"),
    S.CONFIRMED: ("complete", "cancel", "fail"),
    S.COMPLETED: ("review",),
}
STEPS: Mapping[Role, Mapping[str, tuple[str, ...]]] = {
    Role.CLIENT: _AS_CLIENT,
    Role.EVERYTHING: _AS_CLIENT,
    Role.HIRED: {S.ACCEPTED: ("confirm", "cancel"), S.CONFIRMED: ("complete", "cancel")},
    Role.CLEANER: {S.OPEN: ("bid",), S.BIDDING: ("bid", "withdraw")},
}


def _shown(recommendations: Recommendations, cards: Sequence[Card]) -> Shown:
    return Shown(
        cards=tuple(cards),
        request_id=str(recommendations.request_id),
        mode_label=labels.mode_label(recommendations.mode),
        requested_mode_label=labels.mode_label(recommendations.asked_mode)
        if recommendations.asked_mode != recommendations.mode
        else "",
        shortfall=tuple(labels.shortfall_labels(recommendations.degradation)),
        model_version=recommendations.model_version or "",
    )


def _card(row: Mapping[str, Any], thing: Cleaner | CleaningJob, **more: Any) -> Card:
    return Card(
        thing=thing,
        rank=row["rank"],
        number=row["recommendation_id"],
        score=rounded(row["score"], 1) or 0.0,
        reasons=tuple(coarse(reason) for reason in row["reasoning"]),
        parts=tuple((labels.part_label(name), rounded(value, 0)) for name, value in row["breakdown"].items()),
        scores=(("By rules", rounded(row["rule_based_score"], 1)), ("By the network", rounded(row["neural_score"], 1))),
        **more,
    )


def _points(value: float | None) -> str:
    return "" if value is None else f"{value:.0f} of 100"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def _euros(value: Any) -> str:
    return "" if value is None else f"€{value:.2f}"
