"""The marketplace's lists and jobs, as its pages show them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from sites.cleaning.api.permissions import Role
from sites.cleaning.api.visibility import (
    NO_COMPETITION,
    Competition,
    coarse,
    competition_of,
    rounded,
    sees_address,
    standing_of,
)
from sites.cleaning.models import BidSuggestion, Cleaner, CleanerScore, CleaningJob, JobBid
from sites.cleaning.services.recommendations import Recommendation, Recommendations
from sites.cleaning.web import labels


@dataclass(frozen=True, slots=True)
class Card:
    """One recommended cleaner or job."""

    item: Any
    rank: int
    recommendation_id: int | None  # None: it could not be recorded
    score: float
    reasons: tuple[str, ...]
    parts: tuple[tuple[str, float | None], ...]  # label and points
    scores: tuple[tuple[str, float | None], ...]  # by rules and by the network
    bid: JobBid | None = None  # of this cleaner for the job
    competition: Competition = NO_COMPETITION
    standing: CleanerScore | None = None


@dataclass(frozen=True, slots=True)
class ListPresentation:
    """One list, and how it was made."""

    cards: tuple[Card, ...]
    mode_label: str
    requested_mode_label: str  # empty if it is the mode that made the scores
    missing: tuple[str, ...]
    model_version: str


@dataclass(frozen=True, slots=True)
class JobPresentation:
    """One job with its state and what the visitor may do."""

    job: CleaningJob
    state: str
    competition: Competition
    is_exact: bool  # the address is shown
    steps: tuple[str, ...]  # names of actions


def present_cleaners(recommendations: Recommendations, bids: Iterable[JobBid]) -> ListPresentation:
    """Return cleaners for a job, each with their bid for it."""
    own_bids = {bid.cleaner_id: bid for bid in bids if bid.status != JobBid.Status.WITHDRAWN}
    cards = [
        _card(row, row["cleaner"], bid=own_bids.get(row["cleaner"].pk), standing=standing_of(row["cleaner"]))
        for row in recommendations
    ]
    return _list(recommendations, cards)


def present_recommended_jobs(recommendations: Recommendations) -> ListPresentation:
    """Return jobs for a cleaner, each with its competition."""
    competition = competition_of(row["job"] for row in recommendations)
    cards = [_card(row, row["job"], competition=competition.get(row["job"].pk, NO_COMPETITION)) for row in recommendations]
    return _list(recommendations, cards)


def present_jobs(jobs: Sequence[CleaningJob], role: Role) -> list[JobPresentation]:
    """Return jobs as a visitor in this role sees them. One query."""
    competition = competition_of(jobs)
    return [
        JobPresentation(
            job,
            labels.state_label(job),
            competition.get(job.pk, NO_COMPETITION),
            sees_address(job, role),
            steps_of(job, role),
        )
        for job in jobs
    ]


def steps_of(job: CleaningJob, role: Role) -> tuple[str, ...]:
    """Return the actions that a visitor in this role may take with the job in its present state."""
    return STEPS[role].get(CleaningJob.Status(job.status), ())


def figures_of(standing: CleanerScore | None) -> tuple[tuple[str, str], ...]:
    """Return label and figure of what is known of a cleaner; unknown figures are left out."""
    if standing is None:
        return ()
    pairs = (
        (gettext("Overall"), gettext("%(score)s of 100") % {"score": f"{standing.overall_score:.0f}"}),
        (gettext("Average mark"), _mark(standing.average_rating)),
        (gettext("Reviews"), str(standing.review_count)),
        (gettext("Jobs done"), str(standing.total_jobs)),
        (gettext("Completed"), _share(standing.completion_rate)),
        (gettext("On time"), _share(standing.on_time_rate)),
        (gettext("With photos"), _share(standing.photo_rate)),
        (gettext("Bids won"), _share(standing.win_rate)),
    )
    return tuple(pair for pair in pairs if pair[1])


def inputs_of(suggestion: BidSuggestion) -> tuple[tuple[str, str], ...]:
    """Return label and figure of the inputs of a suggested bid."""
    pairs = (
        (gettext("The client's budget"), _euros(suggestion.client_budget)),
        (gettext("Usual for such a job"), _euros(suggestion.market_average)),
        (gettext("What you usually ask"), _euros(suggestion.cleaner_average)),
        (gettext("Bids you win"), _share(suggestion.win_rate)),
        (gettext("Bids so far"), str(suggestion.current_bid_count)),
        (gettext("Lowest bid"), _euros(suggestion.lowest_bid)),
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


def _list(recommendations: Recommendations, cards: Sequence[Card]) -> ListPresentation:
    mode, requested = recommendations.mode, recommendations.asked_mode
    return ListPresentation(
        cards=tuple(cards),
        mode_label=labels.mode_label(mode),
        requested_mode_label=labels.mode_label(requested) if requested != mode else "",
        missing=tuple(labels.missing_label(skip) for skip in recommendations.degradation),
        model_version=recommendations.model_version,
    )


def _card(row: Recommendation, item: Cleaner | CleaningJob, **more: Any) -> Card:
    return Card(
        item=item,
        rank=row["rank"],
        recommendation_id=row["recommendation_id"],
        score=rounded(row["score"], 1) or 0.0,
        reasons=tuple(coarse(reason) for reason in row["reasoning"]),
        parts=tuple((str(labels.PARTS[name]), rounded(value, 0)) for name, value in row["breakdown"].items()),
        scores=(
            (gettext("By rules"), rounded(row["rule_based_score"], 1)),
            (gettext("By the network"), rounded(row["neural_score"], 1)),
        ),
        **more,
    )


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def _euros(value: Any) -> str:
    return "" if value is None else f"€{value:.2f}"


def _mark(value: float | None) -> str:
    return "" if value is None else gettext("%(mark)s of 10") % {"mark": f"{value:.1f}"}
