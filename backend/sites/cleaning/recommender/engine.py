"""Cleaners for a job and jobs for a cleaner: by rules, by a network, or by both.

The tables say who may be shown; rules score all of them; the network, asked of the service, is heard on the best hundred.
A service that is away, late or wrong leaves the rules, and the list says so.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, NotRequired, TypedDict, TypeVar

import numpy as np
from django.db.models import QuerySet
from django.utils import timezone

from recommendation_service.domain.query import DEFAULT_LIMIT, MAX_LIMIT
from recommendation_service.errors import InvalidInput, NotFound
from sites.cleaning.conf import ENSEMBLE, RULE_BASED, ensemble_weights, mode_word
from sites.cleaning.models import Cleaner, CleaningJob
from sites.cleaning.recommender import list_cache
from sites.cleaning.recommender.blending import SHORTLIST, hears_network, scored, shortlist, told, weights_of
from sites.cleaning.recommender.candidates import Filters, cleaners_for, closed, jobs_for, read_filters
from sites.cleaning.recommender.impressions import Showing, record
from sites.cleaning.recommender.list_cache import Made
from sites.cleaning.recommender.neural_scores import network_opinion
from sites.cleaning.recommender.pair_scoring import CLEANERS_FOR_JOB, JOBS_FOR_CLEANER, Met, Way, met
from tandem.model_state import service_state

ASKED_AT_ONCE = 4  # of the service, for many lists
Own = TypeVar("Own", CleaningJob, Cleaner)


class Recommendation(TypedDict):
    """One place of a list."""

    cleaner: NotRequired[Cleaner]
    job: NotRequired[CleaningJob]
    score: float  # 0 to 100
    rule_based_score: float | None
    neural_score: float | None  # None: the network was not asked, or cannot say
    breakdown: dict[str, float | None]  # quality, location, specialization, pricing, availability: 0 to 100, None: unknown
    reasoning: list[str]
    rank: int
    recommendation_id: int | None  # None: it could not be recorded


class Recommendations(list[Recommendation]):
    """A list, the best first, and how it came about."""

    def __init__(self, rows: Sequence[Recommendation], showing: Showing, asked_mode: str) -> None:
        super().__init__(rows)
        self.request_id = showing.request_id
        self.asked_mode = asked_mode
        self.mode = showing.made.mode  # what made the scores
        self.degraded = showing.made.degraded
        self.degradation = showing.made.degradation  # engine, code, detail of whatever is missing
        self.model_version = showing.made.model_version


class RecommendationEngine:
    """Scores by `mode`: rule_based, neural or ensemble. None: as the setting RECOMMENDATION_MODE says.

    Raises InvalidInput for another word, ImproperlyConfigured where a setting is wrong.
    """

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode_word(mode)
        self.weights = weights_of(self.mode, ensemble_weights() if self.mode == ENSEMBLE else {})

    def recommend_cleaners_for_job(
        self, job: CleaningJob, limit: int = DEFAULT_LIMIT, filters: Mapping[str, Any] | None = None
    ) -> Recommendations:
        """Cleaners who suit a job: written down as shown to its client. Empty, with the reason, for a job that is over.

        `filters` are max_distance (km), eco, property_type, min_price and max_price (€). Raises InvalidInput for others
        and for a limit that is not 1 to 100, NotFound for a job that is gone.
        """
        chosen, limit, now = read_filters(filters), _limit(limit), timezone.now()
        job = _fresh(CleaningJob, [job])[0]
        over = closed(job, now)
        if over:
            listed = Showing.of(CLEANERS_FOR_JOB, job, _over(job, over), {})
        else:
            listed = self._listed(CLEANERS_FOR_JOB, job, limit, chosen, cleaners_for(chosen))
        return self._shown([listed], now)[0]

    def recommend_jobs_for_cleaner(
        self, cleaner: Cleaner, limit: int = DEFAULT_LIMIT, filters: Mapping[str, Any] | None = None
    ) -> Recommendations:
        """Jobs that suit a cleaner and that they have not bid for: written down as shown to them. The rest is as above."""
        chosen, limit, now = read_filters(filters), _limit(limit), timezone.now()
        cleaner = _fresh(Cleaner, [cleaner])[0]
        listed = self._listed(JOBS_FOR_CLEANER, cleaner, limit, chosen, jobs_for(cleaner, chosen, now))
        return self._shown([listed], now)[0]

    def recommend_cleaners_for_jobs(self, jobs: Sequence[CleaningJob], limit: int = DEFAULT_LIMIT) -> list[Recommendations]:
        """The same as one by one, in that order: the cleaners are read once, and several jobs are asked about at a time."""
        limit, now, filters = _limit(limit), timezone.now(), Filters()
        jobs = _fresh(CleaningJob, jobs)
        own, side = CLEANERS_FOR_JOB.own(jobs), CLEANERS_FOR_JOB.things(list(cleaners_for(filters)))

        def made(place: int) -> Made:
            job = jobs[place]
            over = closed(job, now)
            if over:
                return _over(job, over)
            alone = own.take(np.array([place], dtype=np.int64))
            return self._made(met(CLEANERS_FOR_JOB, job, alone, side, filters), limit)[0]

        if hears_network(self.weights):
            with ThreadPoolExecutor(ASKED_AT_ONCE) as asking:  # none of which touches the database
                lists = list(asking.map(made, range(len(jobs))))
        else:
            lists = [made(place) for place in range(len(jobs))]
        here = _here(CLEANERS_FOR_JOB, cleaners_for(filters), lists)
        return self._shown([Showing.of(CLEANERS_FOR_JOB, job, one, here) for job, one in zip(jobs, lists, strict=True)], now)

    def _listed(self, way: Way, subject: Own, limit: int, filters: Filters, offered: QuerySet[Any]) -> Showing:
        """What is kept, where everybody in it may still be shown; else a list made anew, and kept."""
        own, about = way.own([subject]), list_cache.about(way, subject)
        stamp = list_cache.stamp_of_cleaners() if way is CLEANERS_FOR_JOB else list_cache.stamp_of_jobs(offered)
        question = {"limit": limit, "filters": filters, "mode": self.mode, "weights": self.weights}
        key = list_cache.key_of(about, own, stamp, question)
        state = service_state() if hears_network(self.weights) else ""
        made = list_cache.read(key, state, about)
        if made is not None:
            here = _here(way, offered, [made])
            if len(here) == len(made.rows):
                return Showing.of(way, subject, made, here)
        side = list_cache.side_of(way, offered, stamp, filters)
        made, served = self._made(met(way, subject, own, side, filters), limit)
        list_cache.keep(key, served or state, made)
        return Showing.of(way, subject, made, _here(way, offered, [made]))

    def _made(self, found: Met, limit: int) -> tuple[Made, str]:
        """A list made anew, and the service's word for what it served."""
        asks = hears_network(self.weights)
        rows = shortlist(found, SHORTLIST if asks else limit)
        opinion = network_opinion(found, rows) if asks and len(rows) else None
        heard = opinion is not None and opinion.heard
        missing = [] if opinion is None else list(opinion.missing)
        made = Made(
            about=list_cache.about(found.way, found.subject),
            mode=self.mode if heard else RULE_BASED,
            degraded=not len(rows) or (asks and not heard),
            degradation=missing if len(rows) else [_nothing("nobody and nothing fits")],
            model_version=opinion.model_version if opinion is not None else "",
            rows=told(found, scored(found, rows, self.weights, opinion), mode=self.mode, limit=limit),
        )
        return made, opinion.state if opinion is not None else ""

    def _shown(self, listed: Sequence[Showing], now: datetime) -> list[Recommendations]:
        """The lists, written down as shown."""
        keys = record(listed, now=now)
        return [Recommendations(_rows(showing, own), showing, self.mode) for showing, own in zip(listed, keys, strict=True)]


def _rows(showing: Showing, keys: Sequence[int | None]) -> list[Recommendation]:
    rows: list[Recommendation] = []
    for rank, (row, key) in enumerate(zip(showing.made.rows, keys, strict=True), start=1):
        found: Recommendation = {
            "score": row.score,
            "rule_based_score": row.rule_based_score,
            "neural_score": row.neural_score,
            "breakdown": dict(row.breakdown),
            "reasoning": list(row.reasons),
            "rank": rank,
            "recommendation_id": key,
        }
        thing = showing.things[row.id]
        rows.append({"cleaner": thing, **found} if showing.way is CLEANERS_FOR_JOB else {"job": thing, **found})
    return rows


def _here(way: Way, offered: QuerySet[Any], lists: Sequence[Made]) -> dict[str, Any]:
    """Everybody and everything in these lists that may still be shown."""
    found = offered.filter(pk__in={int(row.id) for made in lists for row in made.rows})
    return {str(thing.pk): thing for thing in found.select_related(way.shown_with)}


def _over(job: CleaningJob, reason: str) -> Made:
    return Made(
        about=list_cache.about(CLEANERS_FOR_JOB, job),
        mode=RULE_BASED,
        degraded=True,
        degradation=[_nothing(reason)],
        model_version="",
        rows=[],
    )


def _nothing(detail: str) -> dict[str, str]:
    return {"engine": RULE_BASED, "code": "nothing_left", "detail": detail}


def _fresh(model: type[Own], things: Sequence[Own]) -> list[Own]:
    """The same as the table has them now. Raises NotFound for one that is gone."""
    here = {thing.pk: thing for thing in model._default_manager.filter(pk__in=[thing.pk for thing in things])}
    gone = next((thing for thing in things if thing.pk not in here), None)
    if gone is not None:
        raise NotFound(f"there is no {model._meta.verbose_name} {gone.pk}")
    return [here[thing.pk] for thing in things]


def _limit(limit: int) -> int:
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_LIMIT:
        told = f"must be one whole number from 1 to {MAX_LIMIT}"
        raise InvalidInput(f"limit {told}", fields={"/limit": told})
    return limit
