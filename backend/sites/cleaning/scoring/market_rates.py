"""Market data of jobs at any time: the hourly rate of such work, and the bids so far."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
from django.db.models import Avg, Case, F, FloatField, Q, Value, When
from django.db.models.functions import Cast
from django.utils import timezone

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.domain.side import Texts
from sites.cleaning.conf import cache_seconds
from sites.cleaning.models import CleaningJob, JobBid
from sites.cleaning.scoring.aggregates import MANY, MOST_EUROS, ONE
from sites.cleaning.scoring.point_in_time import DAY_S, Moments, Timeline, columns
from sites.cleaning.scoring.score_values import KINDS, share
from tandem import cache

MARKET_DAYS = 90
RATES_KEY = "cleaning:market-rates:1"

_ACCEPTED = CleaningJob.objects.filter(
    accepted_at__isnull=False, hours__gt=0, accepted_bid__amount__gt=0, accepted_bid__amount__lt=MOST_EUROS
).order_by()
_RATE = Cast(F("accepted_bid__amount"), FloatField()) / Cast(F("hours"), FloatField())
_KIND = Case(*(When(place__kind=kind, then=Value(index)) for index, kind in enumerate(KINDS)), default=Value(len(KINDS)))
_BIDS = JobBid.objects.filter(Q(amount__gt=0, amount__lt=MOST_EUROS)).exclude(status=JobBid.Status.WITHDRAWN).order_by()


def market_as_of(job_ids: Ints, kinds: Texts, moments: Moments) -> Mapping[str, Floats]:
    """Return market_rate, bid_count and lowest_bid of each job, (n,), from rows known strictly before each time, in seconds.

    market_rate is the mean hourly rate of accepted bids for that kind of property over the 90 days before, NaN without any.
    Withdrawn bids do not count. Two queries.
    """
    return {"market_rate": _rates(kinds, moments), **_bids(job_ids, moments)}


def market_now(job_ids: Ints, kinds: Texts) -> Mapping[str, Floats]:
    """Return the same as of now, in one query and a cached one."""
    now = timezone.now()
    rates = market_rates(now)
    column = np.array([rates.get(kind, np.nan) for kind in kinds.tolist()], dtype=np.float32)
    return {"market_rate": column, **_bids(job_ids, np.full(job_ids.size, now.timestamp()))}


def market_rates(now: datetime) -> Mapping[str, float]:
    """Return euros per hour by kind of property, cached for RECOMMENDATION_CACHE_TTL; kinds without bids are absent."""
    cached = cache.look_up(RATES_KEY)  # an unreachable cache is a miss, and so is any value that is not a rate
    if not isinstance(cached, dict) or not all(isinstance(rate, float) and rate > 0 for rate in cached.values()):
        recent = _ACCEPTED.filter(accepted_at__lt=now, accepted_at__gte=now - timedelta(days=MARKET_DAYS))
        cached = dict(recent.values_list("place__kind").annotate(of_rate=Avg(_RATE)))
        cache.put(RATES_KEY, cached, cache_seconds())
    return cached


def _rates(kinds: Texts, moments: Moments) -> Floats:
    if moments.size == 0:
        return np.empty(0, dtype=np.float32)
    first = datetime.fromtimestamp(moments.min() - MARKET_DAYS * DAY_S, UTC)
    accepted = _ACCEPTED.filter(accepted_at__gte=first).annotate(of_kind=_KIND)
    column, times, amounts = columns(accepted, "of_kind", "accepted_at", {"jobs": ONE, "rates": _RATE})
    line = Timeline.of(column, times, amounts, len(KINDS) + 1)
    index_of = {kind: index for index, kind in enumerate(KINDS)}
    wanted = np.array([index_of.get(kind, len(KINDS)) for kind in kinds.tolist()], dtype=np.int64)
    sums = line.before(wanted, moments) - line.before(wanted, moments - MARKET_DAYS * DAY_S)
    return np.asarray(share(sums[:, 1], sums[:, 0]), dtype=np.float32)


def _bids(job_ids: Ints, moments: Moments) -> dict[str, Floats]:
    """Return the number of bids on each job, and the lowest bid."""
    known = np.unique(job_ids)
    bids = _BIDS.filter(job__in=known.tolist()) if known.size < MANY else _BIDS
    jobs, times, amounts = columns(bids, "job_id", "time", {"amount": "amount"})
    here = np.isin(jobs, known)
    rows, times, cents = np.searchsorted(known, jobs[here]), times[here], np.rint(amounts[here, 0] * 100).astype(np.int64)
    line = Timeline.of(rows.astype(np.int64), times, np.ones((rows.size, 1)), known.size)
    wanted = np.searchsorted(known, job_ids).astype(np.int64)
    counts = line.before(wanted, moments)[:, 0].astype(np.int64)
    # the lowest so far: rows of a later job lie below all of the earlier ones, so that one running minimum does for all
    order, step = np.lexsort((times, rows)), 100 * MOST_EUROS
    running = np.minimum.accumulate(cents[order] - rows[order] * step) + rows[order] * step
    lowest = np.full(job_ids.size, np.nan, dtype=np.float32)
    some = counts > 0
    lowest[some] = running[line.starts[wanted[some]] + counts[some] - 1] / 100
    return {"bid_count": counts.astype(np.float32), "lowest_bid": lowest}
