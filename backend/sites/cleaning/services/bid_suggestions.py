"""Suggested bids: minimum, optimal and maximum for a cleaner and a job, with inputs and outcome.

The network of the recommendation service predicts them (docs/decisions/0015). If it cannot, the rules below compute them;
`method` names which. The rules: the middle is the mean, by WEIGHTS, of the cleaner's usual bid, the market's rate and the
client's budget, for the job's hours; the weight of an unknown amount goes to the others. A cleaner who wins more than
USUAL_WINS of their bids may ask up to SWAY more, one who wins fewer up to SWAY less. A lower existing bid moves the middle a
quarter of the way towards it. Minimum and maximum are SPREAD below and above; they are not quantiles, unlike the network's.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache

import numpy as np

from recommendation_service.datasets.pair_features import join_pairs
from recommendation_service.domain.side import PairSide
from recommendation_service.errors import ConfigurationError, InvalidInput
from recommendation_service.use_cases.schema import PairConfig
from sites.cleaning.models import BidSuggestion, Cleaner, CleaningJob, JobBid
from sites.cleaning.scoring.pair_features import cleaner_side, job_side
from tandem.service_client.client import ServiceFailed
from tandem.service_client.estimates import Estimate, Estimated, estimate
from tandem.use_cases import load

USE_CASE, ESTIMATOR = "cleaning", "bid"
NEURAL, RULE_BASED = "neural", "rule_based"
WEIGHTS = {"own": 0.7, "market": 0.2, "budget": 0.1}  # expensive cleaners are mostly hired for another reason than the price
USUAL_WINS, SWAY = 0.2, 0.1  # one of about five bids per job wins; at most a tenth more or less
DRAWN = 0.25  # share of the way towards the lowest bid
SPREAD = 0.25
LEAST, MOST = Decimal("1.00"), Decimal("999999.99")  # limits of a bid
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Known:
    """Inputs of a suggestion; amounts are for the job's hours, None if unknown."""

    budget: float
    asked: float  # the cleaner's declared hourly rate
    own: float | None  # the cleaner's usual bid
    market: float | None
    win_rate: float | None
    bid_count: int
    lowest: float | None

    @classmethod
    def of(cls, job: CleaningJob, side: PairSide, cleaner: PairSide) -> "Known":
        """Return the inputs of the two sides, each of length 1."""
        hours = float(job.hours)
        has_bid = (_number(cleaner, "bid_count_all") or 0) > 0
        market, usual = _number(side, "market_rate"), _number(cleaner, "usual_rate") if has_bid else None
        return cls(
            budget=float(job.budget),
            asked=(_number(cleaner, "hourly_rate") or 0.0) * hours,
            own=None if usual is None else usual * hours,
            market=None if market is None else market * hours,
            win_rate=_number(cleaner, "win_rate") if has_bid else None,
            bid_count=int(_number(side, "bid_count") or 0),
            lowest=_number(side, "lowest_bid"),
        )


def suggest_bid(job: CleaningJob, cleaner: Cleaner) -> BidSuggestion:
    """Save and return a suggested bid with its inputs; it does not need the service.

    Raises InvalidInput for a job that takes no bids, and for one with a bid of this cleaner that is not withdrawn.
    """
    _require_open(job, cleaner)
    side, own = job_side([job]), cleaner_side([cleaner])
    known = Known.of(job, side, own)
    try:
        context, offers = _question(side, own)
        result = estimate(use_case=USE_CASE, name=ESTIMATOR, context=context, offers=offers)
    except ServiceFailed:
        return _saved(job, cleaner, known, Estimated("", (by_rules(known),)), RULE_BASED)
    return _saved(job, cleaner, known, result, NEURAL)


def by_rules(known: Known) -> Estimate:
    """Return the rule-based suggestion: see above. Without bids, a cleaner's usual bid is their hourly rate."""
    amounts = {"own": known.own or known.asked, "market": known.market, "budget": known.budget}
    parts = [(WEIGHTS[name], amount) for name, amount in amounts.items() if amount]
    middle = sum(weight * amount for weight, amount in parts) / sum(weight for weight, _ in parts)
    if known.win_rate is not None:
        middle *= 1 + SWAY * float(np.clip((known.win_rate - USUAL_WINS) / USUAL_WINS, -1, 1))
    if known.lowest is not None and known.lowest < middle:
        middle += DRAWN * (known.lowest - middle)
    return Estimate(middle * (1 - SPREAD), middle, middle * (1 + SPREAD))


def note_bid(bid: JobBid) -> None:
    """Store a placed bid in the newest suggestion for its cleaner and job. A second call changes nothing."""
    newest = BidSuggestion.objects.filter(job=bid.job_id, cleaner=bid.cleaner_id).order_by("-created_at", "-pk").first()
    if newest is not None:
        rejected = bid.status == JobBid.Status.REJECTED
        decided = rejected and JobBid.objects.filter(job=bid.job_id, status=JobBid.Status.ACCEPTED).exists()
        _note(newest, bid, _won(bid, decided=decided))
        newest.save(update_fields=["actual_bid", "was_used", "did_win"])


def note_decision(job: CleaningJob) -> None:
    """Store which suggestions won after the client decided. Two queries and one write; a second call changes nothing.

    A withdrawn bid neither won nor lost, nor did the bids on a job that was cancelled before a hire. A hire that is
    cancelled later counts as won.
    """
    bids = {bid.cleaner_id: bid for bid in JobBid.objects.filter(job=job)}
    decided = any(bid.status == JobBid.Status.ACCEPTED for bid in bids.values())
    newest: dict[int, BidSuggestion] = {}
    for suggestion in BidSuggestion.objects.filter(job=job, cleaner__in=list(bids)).order_by("created_at", "pk"):
        newest[suggestion.cleaner_id] = suggestion
    for cleaner_id, suggestion in newest.items():
        _note(suggestion, bids[cleaner_id], _won(bids[cleaner_id], decided=decided))
    BidSuggestion.objects.bulk_update(newest.values(), ["actual_bid", "was_used", "did_win"])


def _note(suggestion: BidSuggestion, bid: JobBid, won: bool | None) -> None:
    suggestion.actual_bid = bid.amount
    suggestion.was_used = suggestion.minimum <= bid.amount <= suggestion.maximum
    suggestion.did_win = won


def _won(bid: JobBid, *, decided: bool) -> bool | None:
    if bid.status == JobBid.Status.ACCEPTED:
        return True
    return False if decided and bid.status == JobBid.Status.REJECTED else None


def _require_open(job: CleaningJob, cleaner: Cleaner) -> None:
    if job.status not in CleaningJob.OFFERED:
        message = (
            f"this job is {job.status} and takes no bids; bids are suggested while it is {' or '.join(CleaningJob.OFFERED)}"
        )
        raise InvalidInput(message, fields={"/job": f"is {job.status}"})
    if job.bids.filter(cleaner=cleaner).exclude(status=JobBid.Status.WITHDRAWN).exists():
        message = "you have bid for this job already; withdraw that bid to get another suggestion"
        raise InvalidInput(message, fields={"/job": "has a bid of yours"})


def _question(job: PairSide, cleaner: PairSide) -> tuple[PairSide, PairSide]:
    """Return the columns that the network reads and no others: the distance, but no address."""
    pair_config, reads = _reads()
    pairs = join_pairs(pair_config, job, cleaner)
    apart = {name: pairs.number(name) for name in pair_config.derived if name in reads}
    context, offer = (
        PairSide(
            side.ids,
            {name: column for name, column in side.numbers.items() if name in reads},
            {name: column for name, column in side.text_columns.items() if name in pair_config.embedding_columns},
        )
        for side in (job, cleaner)
    )
    return context, PairSide(offer.ids, {**offer.numbers, **apart}, offer.text_columns)


@cache
def _reads() -> tuple[PairConfig, frozenset[str]]:
    """Return the pair configuration, and the columns that the file names for the estimator."""
    use_case = load(USE_CASE)
    options = use_case.estimators[ESTIMATOR].training
    if use_case.pairs is None:
        raise ConfigurationError(f"{USE_CASE}: bids are about pairs, but the file has no [pairs]; add it")
    return use_case.pairs, frozenset({options["per"], *(feature["name"] for feature in options["features"])})


def _saved(job: CleaningJob, cleaner: Cleaner, known: Known, result: Estimated, method: str) -> BidSuggestion:
    amounts = result.estimates[0]
    return BidSuggestion.objects.create(
        job=job,
        cleaner=cleaner,
        minimum=money(amounts.minimum),
        optimal=money(amounts.optimal),
        maximum=money(amounts.maximum),
        method=method,
        model_version=result.model_version[:80],
        client_budget=job.budget,
        market_average=None if known.market is None else money(known.market),
        cleaner_average=None if known.own is None else money(known.own),
        win_rate=known.win_rate,
        current_bid_count=known.bid_count,
        lowest_bid=None if known.lowest is None else money(known.lowest),
    )


def money(amount: float) -> Decimal:
    """Return euros in whole cents within the limits of a bid; the order of two amounts stays."""
    return min(max(Decimal(str(min(amount, float(MOST)))).quantize(CENT), LEAST), MOST)


def _number(side: PairSide, name: str) -> float | None:
    column = side.numbers.get(name)
    return None if column is None or np.isnan(column[0]) else float(column[0])
