"""Training data of pairs: every bid on a job for which a cleaner was hired, and all feedback.

Columns hold what was known strictly before the job was posted, so no outcome of a job, such as its review, is among the
columns of its rows (`tests/sites/cleaning/test_training_data.py` checks it). What people declare of themselves and of their
properties is today's, because older values are not stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from django.db.models import F, Q, QuerySet

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.datasets.pair_features import join_pairs
from recommendation_service.datasets.pair_outcomes import BID, Matches
from recommendation_service.domain.side import PairSide
from recommendation_service.use_cases.schema import PairConfig
from sites.cleaning.models import Cleaner, CleaningJob, JobBid, RecommendationFeedback
from sites.cleaning.scoring.aggregates import MOST_EUROS
from sites.cleaning.scoring.pair_features import cleaner_side, job_side
from tandem.use_cases import load

USE_CASE = "cleaning"
LOWEST_MARK, HIGHEST_MARK = 1, 10
SHOWN_AS = ("job_recommendation", "cleaner_recommendation")


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Arrays of n pairs; jobs and cleaners by primary key."""

    jobs: Ints
    cleaners: Ints
    groups: Ints
    times: AnyArray
    bids: Floats  # NaN: no bid, so the usual rate is used
    ratings: Floats
    chosen: Bools
    decided: Bools
    verdicts: Floats


def matches() -> Matches:
    """Return all rows, the oldest first; about ten queries for any number of jobs."""
    offers, verdicts = _offers(), _verdicts()
    pair_rows = _Rows(*(np.concatenate([getattr(offers, item.name), getattr(verdicts, item.name)]) for item in fields(_Rows)))
    pair_config = load(USE_CASE).pairs
    if pair_config is None:
        raise LookupError(f"{USE_CASE}.toml has lost its [pairs]")
    return _table(pair_config, pair_rows)


def _table(pair_config: PairConfig, pair_rows: _Rows) -> Matches:
    order = np.lexsort((pair_rows.cleaners, pair_rows.jobs, pair_rows.times))
    pair_rows = _Rows(*(getattr(pair_rows, item.name)[order] for item in fields(_Rows)))
    first, second = _job_sides(pair_rows), _cleaner_sides(pair_rows)
    pairs = join_pairs(pair_config, first, PairSide(second.ids, {**second.numbers, BID: pair_rows.bids}, second.text_columns))
    table = np.stack(list(pairs.numbers.values()), axis=1).astype(np.float32, copy=False)
    return Matches(
        names=tuple(pairs.numbers),
        numbers=table,
        text_columns=pairs.text_columns,
        groups=pair_rows.groups,
        times=pair_rows.times,
        ratings=pair_rows.ratings,
        chosen=pair_rows.chosen,
        decided=pair_rows.decided,
        verdicts=pair_rows.verdicts,
    )


def _job_sides(pair_rows: _Rows) -> PairSide:
    """Return the columns of the jobs; each job at each time is computed once for all its bids."""
    shown = [Q(pk__in=_judged().filter(**{f"{item}__isnull": False}).values(f"{item}__job_id")) for item in SHOWN_AS]
    wanted = CleaningJob.objects.filter(Q(accepted_bid__isnull=False) | shown[0] | shown[1])
    known = {job.pk: job for job in wanted.select_related("place").order_by()}
    once, back = np.unique(np.stack([pair_rows.jobs.astype(np.float64), pair_rows.times]), axis=1, return_inverse=True)
    side = job_side([known[int(key)] for key in once[0].tolist()], once[1])
    return side.take(back.reshape(-1).astype(np.int64))


def _cleaner_sides(pair_rows: _Rows) -> PairSide:
    known = {cleaner.pk: cleaner for cleaner in Cleaner.objects.order_by()}
    return cleaner_side([known[key] for key in pair_rows.cleaners.tolist()], pair_rows.times)


def _offers() -> _Rows:
    """Return bids on jobs for which a cleaner was hired, without withdrawn bids and bids placed later.

    A mark of 1 to 10 becomes 0 to 1, and the lowest mark is 0.
    """
    bids = JobBid.objects.filter(
        job__accepted_at__isnull=False, job__accepted_bid__isnull=False, time__lte=F("job__accepted_at")
    ).filter(amount__gt=0, amount__lt=MOST_EUROS)
    names = ("job_id", "cleaner_id", "job__posted_at", "amount", "pk", "job__accepted_bid_id", "job__review__overall")
    rows = bids.exclude(status=JobBid.Status.WITHDRAWN).order_by().values_list(*names)
    jobs, cleaners, posted, amounts, keys, accepted, marks = _columns(rows, len(names))
    job_keys, chosen = _whole(jobs), _whole(keys) == _whole(accepted)
    given = np.array([np.nan if mark is None else mark for mark in marks], dtype=np.float32)
    ratings = (given - LOWEST_MARK) / (HIGHEST_MARK - LOWEST_MARK)
    return _Rows(
        jobs=job_keys,
        cleaners=_whole(cleaners),
        groups=job_keys,
        times=np.array([time.timestamp() for time in posted], dtype=np.float64),
        bids=np.array(amounts, dtype=np.float32),
        ratings=np.where(chosen, ratings, np.nan).astype(np.float32),
        chosen=chosen,
        decided=np.isin(job_keys, job_keys[chosen]),
        verdicts=np.full(job_keys.size, np.nan, dtype=np.float32),
    )


def _verdicts() -> _Rows:
    """Return feedback of both sides, with columns as of the time when the list was shown."""
    rows: list[tuple[Any, ...]] = []
    for shown in SHOWN_AS:
        names = (f"{shown}__job_id", f"{shown}__cleaner_id", f"{shown}__created_at", "feedback_type")
        rows += _judged().filter(**{f"{shown}__isnull": False}).order_by("pk").values_list(*names)
    jobs, cleaners, shown_at, kinds = _columns(rows, 4)
    nothing, no = np.full(len(rows), np.nan, dtype=np.float32), np.zeros(len(rows), dtype=np.bool_)
    helpful = [kind == RecommendationFeedback.Verdict.HELPFUL for kind in kinds]
    return _Rows(
        jobs=_whole(jobs),
        cleaners=_whole(cleaners),
        groups=-1 - np.arange(len(rows), dtype=np.int64),
        times=np.array([time.timestamp() for time in shown_at], dtype=np.float64),
        bids=nothing,
        ratings=nothing,
        chosen=no,
        decided=no,
        verdicts=np.array(helpful, dtype=np.float32),
    )


def _judged() -> QuerySet[RecommendationFeedback]:
    return RecommendationFeedback.objects.order_by()


def _columns(rows: Any, width: int) -> Sequence[Sequence[Any]]:
    return list(zip(*rows, strict=True)) or [()] * width


def _whole(keys: Sequence[Any]) -> Ints:
    return np.array(keys, dtype=np.int64)
