"""Rows of the synthetic marketplace's tables. A row's key is its index plus one; bids and reviews are in order of time."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

import numpy as np
from django.db.models import Model

from demo.synthetic.cleaning import payments
from demo.synthetic.cleaning.constants import BUDGETS, KINDS, TIERS
from demo.synthetic.cleaning.demo_users import Shown, shown_first
from demo.synthetic.cleaning.job_outcomes import STATUSES
from demo.synthetic.cleaning.locations import DISTRICTS
from demo.synthetic.cleaning.market import Market
from demo.synthetic.simulation import Floats, Rng, numbered
from demo.synthetic.vocabulary import Vocabulary, read_vocabulary
from sites.cleaning.models import Cleaner, CleaningJob, Client, JobBid, Payment, Property, PropertyType, Review

WITHDRAWN_SHARE = 0.02  # of the bids that did not win


class CleaningVocabulary(Vocabulary):
    """Word lists of the marketplace. Family names have a female and a male form."""

    female_names: tuple[str, ...]
    male_names: tuple[str, ...]
    family_names: tuple[tuple[str, str], ...]
    cleaner_descriptions: tuple[str, ...]
    bid_messages: tuple[str, ...]
    eco_request: str
    job_descriptions: dict[PropertyType, tuple[str, ...]]
    review_comments: dict[int, tuple[str, ...]]  # by overall mark


VOCABULARY = read_vocabulary("cleaning", CleaningVocabulary)
NAMES = (
    *(f"{name} {family}" for name in VOCABULARY.female_names for family, _ in VOCABULARY.family_names),
    *(f"{name} {family}" for name in VOCABULARY.male_names for _, family in VOCABULARY.family_names),
)
_KINDS, _BUDGETS, _TIERS = tuple(KINDS), tuple(BUDGETS), tuple(TIERS)


class Rows:
    """All rows of a marketplace, by table."""

    def __init__(self, market: Market, rng: Rng) -> None:
        self.market, self.rng = market, rng
        written = np.flatnonzero(market.bids.time <= market.sizes.until)
        self.written_bids = written[np.argsort(market.bids.time[written], kind="stable")]  # the oldest first
        self.bid_key = np.zeros(market.bids.time.size, dtype=np.int64)
        self.bid_key[self.written_bids] = np.arange(1, self.written_bids.size + 1)
        first = shown_first(market)
        names = numbered(rng, NAMES, market.sizes.cleaners + market.sizes.clients)
        self.cleaners = self._cleaners(names[: market.sizes.cleaners], first)
        self.clients = self._clients(names[market.sizes.cleaners :], first)
        self.properties = self._properties()
        self.jobs = self._jobs()
        self.bids = self._bids()
        self.reviews = self._reviews()
        self.payments = self._payments()

    @property
    def tables(self) -> Sequence[Sequence[Model]]:
        """Return the rows by table in the order of writing; jobs refer to later bids, which a transaction allows."""
        return (self.cleaners, self.clients, self.properties, self.jobs, self.bids, self.reviews, self.payments)

    def _cleaners(self, names: Sequence[str], first: Shown) -> list[Cleaner]:
        columns, spots = self.market.cleaners, self.market.cleaners.spots
        about = _random_texts(self.rng, VOCABULARY.cleaner_descriptions, len(names))
        return [
            Cleaner(
                pk=index + 1, name=name, tier=_TIERS[columns.tier[index]], is_demo=index in first.cleaners,
                about=about[index].format(district=DISTRICTS[spots.district[index]].name),
                latitude=float(spots.latitude[index]), longitude=float(spots.longitude[index]),
                hourly_rate=_euros(round(100 * columns.rate[index])), reach_km=int(columns.reach_km[index]),
                jobs_a_week=int(columns.jobs_a_week[index]), eco_friendly=bool(columns.eco[index]),
                is_available=bool(np.isinf(columns.away_from[index])), joined=_time(columns.joined[index]).date(),
            )
            for index, name in enumerate(names)
        ]  # fmt: skip

    def _clients(self, names: Sequence[str], first: Shown) -> list[Client]:
        columns = self.market.clients
        return [
            Client(
                pk=index + 1, name=name, budget=_BUDGETS[columns.budget[index]], is_demo=index in first.clients,
                joined=_time(columns.joined[index]).date(),
            )
            for index, name in enumerate(names)
        ]  # fmt: skip

    def _properties(self) -> list[Property]:
        columns, spots = self.market.properties, self.market.properties.spots
        return [
            Property(
                pk=index + 1, client_id=client + 1, kind=_KINDS[columns.kind[index]], size_m2=int(columns.size_m2[index]),
                district=DISTRICTS[spots.district[index]].name,
                latitude=float(spots.latitude[index]), longitude=float(spots.longitude[index]),
            )
            for index, client in enumerate(columns.client.tolist())
        ]  # fmt: skip

    def _jobs(self) -> list[CleaningJob]:
        jobs, course, bids = self.market.jobs, self.market.course, self.market.bids
        hired = course.winner >= 0
        cleaner = np.where(hired, bids.cleaner[course.winner] + 1, 0).tolist()
        bid = np.where(hired, self.bid_key[course.winner], 0).tolist()
        done, failed = course.has(CleaningJob.Status.COMPLETED), course.has(CleaningJob.Status.FAILED)
        on_time = [bool(texts) if known else None for texts, known in zip(course.on_time, done | failed, strict=True)]
        accepted, confirmed, ended = (_optional_times(column) for column in (course.accepted, course.confirmed, course.ended))
        wanted_for = _times(course.wanted_for)
        descriptions = self._wishes()
        return [
            CleaningJob(
                pk=index + 1, client_id=client + 1, place_id=int(jobs.place[index]) + 1, description=descriptions[index],
                status=STATUSES[course.status[index]], eco_friendly=bool(jobs.eco[index]),
                hours=Decimal(round(10 * jobs.hours[index])).scaleb(-1), budget=_euros(round(100 * jobs.budget[index])),
                posted_at=_time(jobs.posted[index]), wanted_for=wanted_for[index], cleaner_id=cleaner[index] or None,
                accepted_bid_id=bid[index] or None, accepted_at=accepted[index], confirmed_at=confirmed[index],
                ended_at=ended[index], cancelled_by_cleaner=bool(course.by_cleaner[index]),
                was_on_time=on_time[index], photos=int(course.photos[index]),
            )
            for index, client in enumerate(jobs.client.tolist())
        ]  # fmt: skip

    def _wishes(self) -> list[str]:
        jobs = self.market.jobs
        drawn = self.rng.random(jobs.kind.size)
        texts = [VOCABULARY.job_descriptions[_KINDS[kind]] for kind in jobs.kind.tolist()]
        wishes = [some[int(share * len(some))] for some, share in zip(texts, drawn.tolist(), strict=True)]
        return [
            f"{text} {VOCABULARY.eco_request}" if eco else text for text, eco in zip(wishes, jobs.eco.tolist(), strict=True)
        ]

    def _bids(self) -> list[JobBid]:
        bids, course = self.market.bids, self.market.course
        job = bids.job[self.written_bids]
        decided = (course.winner >= 0) | ~np.isnan(course.ended)
        withdrawn = self.rng.random(self.written_bids.size) < WITHDRAWN_SHARE
        lost = np.where(withdrawn, JobBid.Status.WITHDRAWN, JobBid.Status.REJECTED)
        status = np.where(decided[job], lost, JobBid.Status.PENDING)
        status = np.where(course.winner[job] == self.written_bids, JobBid.Status.ACCEPTED, status).tolist()
        messages, times = (
            _random_texts(self.rng, VOCABULARY.bid_messages, self.written_bids.size),
            _times(bids.time[self.written_bids]),
        )
        columns = zip(
            job.tolist(), bids.cleaner[self.written_bids].tolist(), bids.cents[self.written_bids].tolist(), strict=True
        )
        return [
            JobBid(
                pk=index + 1, job_id=job + 1, cleaner_id=cleaner + 1, amount=_euros(cents), status=status[index],
                message=messages[index], time=times[index],
            )
            for index, (job, cleaner, cents) in enumerate(columns)
        ]  # fmt: skip

    def _reviews(self) -> list[Review]:
        columns, course, bids = self.market.reviews, self.market.course, self.market.bids
        client, cleaner = self.market.jobs.client[columns.job] + 1, bids.cleaner[course.winner[columns.job]] + 1
        drawn, time = self.rng.random(columns.job.size).tolist(), _times(columns.time)
        texts = [VOCABULARY.review_comments[mark] for mark in columns.overall.tolist()]
        return [
            Review(
                pk=index + 1, job_id=job + 1, client_id=int(client[index]), cleaner_id=int(cleaner[index]),
                overall=int(columns.overall[index]), quality=quality, communication=communication,
                professionalism=professionalism, timeliness=timeliness,
                comment=texts[index][int(drawn[index] * len(texts[index]))], time=time[index],
            )
            for index, (job, (quality, communication, professionalism, timeliness)) in enumerate(
                zip(columns.job.tolist(), columns.marks.tolist(), strict=True)
            )
        ]  # fmt: skip

    def _payments(self) -> list[Payment]:
        columns = self.market.payments
        time, fees = _times(columns.time), columns.fee_cents.tolist()
        return [
            Payment(
                pk=index + 1, job_id=job + 1, reference=columns.reference[index], amount=_euros(cents),
                platform_fee=_euros(fees[index]), payout=_euros(cents - fees[index]),
                status=payments.STATUSES[columns.status[index]], time=time[index],
            )
            for index, (job, cents) in enumerate(zip(columns.job.tolist(), columns.cents.tolist(), strict=True))
        ]  # fmt: skip


def _random_texts(rng: Rng, sentences: Sequence[str], n: int) -> list[str]:
    return [sentences[index] for index in rng.integers(len(sentences), size=n).tolist()]


def _euros(cents: int) -> Decimal:
    return Decimal(int(cents)).scaleb(-2)


_time = partial(datetime.fromtimestamp, tz=UTC)


def _times(column: Floats) -> list[datetime]:
    return [_time(second) for second in column.tolist()]


def _optional_times(column: Floats) -> list[datetime | None]:
    """Return times; None where the event did not happen."""
    return [None if math.isnan(second) else _time(second) for second in column.tolist()]
