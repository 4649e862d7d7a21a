"""What a cleaner might bid for a job: minimum, optimal and maximum, from what, and what came of it.

The network of the recommendation service says it where it can (docs/decisions/0015); else the rules below do, and `method`
says which. The rules: the middle is the mean of what the cleaner usually asks, what the market pays and the client's budget,
for as many hours, by WEIGHTS; what is not known leaves its weight to the others. Whoever wins more than USUAL_WINS of their
bids may ask up to SWAY more, whoever wins fewer up to SWAY less. A lower bid already there draws the middle a quarter of the
way towards it. Minimum and maximum are SPREAD below and above. Unlike the network's, they promise no share of the bids.
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
from tandem.client import ServiceFailed
from tandem.estimates import Estimate, Estimated, estimate
from tandem.use_cases import load

USE_CASE, ESTIMATOR = "cleaning", "bid"
NEURAL, RULE_BASED = "neural", "rule_based"
WEIGHTS = {"own": 0.7, "market": 0.2, "budget": 0.1}  # whoever asks more is mostly chosen for another reason than the price
USUAL_WINS, SWAY = 0.2, 0.1  # of about five bids a job one wins; a tenth more or less at most
DRAWN = 0.25  # of the way towards the lowest bid
SPREAD = 0.25
LEAST, MOST = Decimal("1.00"), Decimal("999999.99")  # what a bid may be
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Known:
    """What a suggestion is made of; amounts are for the job's hours, None where unknown."""

    budget: float
    asked: float  # the cleaner's own stated rate
    own: float | None  # what the cleaner usually bid
    market: float | None
    win_rate: float | None
    bid_count: int
    lowest: float | None

    @classmethod
    def of(cls, job: CleaningJob, side: PairSide, cleaner: PairSide) -> "Known":
        """From the two sides, each of length 1."""
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
    """What to bid, saved with all it was made of; never fails for want of the service.

    Raises InvalidInput for a job that takes no bids, and for one that this cleaner bid for and did not take back.
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
    """The rule-based suggestion: see above. A new cleaner stands by their stated rate."""
    amounts = {"own": known.own or known.asked, "market": known.market, "budget": known.budget}
    parts = [(WEIGHTS[name], amount) for name, amount in amounts.items() if amount]
    middle = sum(weight * amount for weight, amount in parts) / sum(weight for weight, _ in parts)
    if known.win_rate is not None:
        middle *= 1 + SWAY * float(np.clip((known.win_rate - USUAL_WINS) / USUAL_WINS, -1, 1))
    if known.lowest is not None and known.lowest < middle:
        middle += DRAWN * (known.lowest - middle)
    return Estimate(middle * (1 - SPREAD), middle, middle * (1 + SPREAD))


def note_bid(bid: JobBid) -> None:
    """A bid was placed: what the newest advice to this cleaner for this job came to. Noting it twice changes nothing."""
    newest = BidSuggestion.objects.filter(job=bid.job_id, cleaner=bid.cleaner_id).order_by("-created_at", "-pk").first()
    if newest is not None:
        rejected = bid.status == JobBid.Status.REJECTED
        decided = rejected and JobBid.objects.filter(job=bid.job_id, status=JobBid.Status.ACCEPTED).exists()
        _note(newest, bid, _won(bid, decided=decided))
        newest.save(update_fields=["actual_bid", "was_used", "did_win"])


def note_decision(job: CleaningJob) -> None:
    """A job's bids were decided on: who won with what they were advised, and who did not. Two queries and one write.

    A bid taken back neither won nor lost; of a job cancelled before anybody was chosen, none did. An agreement that is
    cancelled later was won all the same. Noting it twice changes nothing.
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
        message = f"this job is {job.status} and takes no bids; bids are advised while it is {' or '.join(CleaningJob.OFFERED)}"
        raise InvalidInput(message, fields={"/job": f"is {job.status}"})
    if job.bids.filter(cleaner=cleaner).exclude(status=JobBid.Status.WITHDRAWN).exists():
        message = "you have bid for this job already; take that bid back to be advised on another"
        raise InvalidInput(message, fields={"/job": "has a bid of yours"})


def _question(job: PairSide, cleaner: PairSide) -> tuple[PairSide, PairSide]:
    """What the network reads of the two, and no more: how far apart they are, and nobody's home."""
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
    """The pair configuration, and the columns that the file names for the estimator."""
    use_case = load(USE_CASE)
    options = use_case.estimators[ESTIMATOR].training
    if use_case.pairs is None:
        raise ConfigurationError(f"{USE_CASE}: bids are about pairs, and the file says nothing of them; add [pairs]")
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
    """Euros and whole cents, within what a bid may be; of two amounts the larger never becomes the smaller."""
    return min(max(Decimal(str(min(amount, float(MOST)))).quantize(CENT), LEAST), MOST)


def _number(side: PairSide, name: str) -> float | None:
    column = side.numbers.get(name)
    return None if column is None or np.isnan(column[0]) else float(column[0])
