"""Columns of the invented marketplace as rows of its tables. A row's key is its place plus one; bids and reviews go by time."""

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
from demo.synthetic.vocabulary import Words, read_words
from sites.cleaning.models import Cleaner, CleaningJob, Client, JobBid, Payment, Property, PropertyType, Review

WITHDRAWN_SHARE = 0.02  # of the bids that did not win


class CleaningWords(Words):
    """Word lists of the marketplace. Family names have a female and a male form."""

    female_names: tuple[str, ...]
    male_names: tuple[str, ...]
    family_names: tuple[tuple[str, str], ...]
    cleaner_descriptions: tuple[str, ...]
    bid_messages: tuple[str, ...]
    eco_request: str
    job_descriptions: dict[PropertyType, tuple[str, ...]]
    review_comments: dict[int, tuple[str, ...]]  # by overall mark


WORDS = read_words("cleaning", CleaningWords)
NAMES = (
    *(f"{name} {family}" for name in WORDS.female_names for family, _ in WORDS.family_names),
    *(f"{name} {family}" for name in WORDS.male_names for _, family in WORDS.family_names),
)
_KINDS, _BUDGETS, _TIERS = tuple(KINDS), tuple(BUDGETS), tuple(TIERS)


class Rows:
    """Every row of one marketplace, table by table."""

    def __init__(self, market: Market, rng: Rng) -> None:
        self.market, self.rng = market, rng
        kept = np.flatnonzero(market.bids.time <= market.sizes.until)
        self.kept = kept[np.argsort(market.bids.time[kept], kind="stable")]  # bids that are written, the oldest first
        self.bid_key = np.zeros(market.bids.time.size, dtype=np.int64)
        self.bid_key[self.kept] = np.arange(1, self.kept.size + 1)
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
        """In the order in which they can be written; jobs name bids, which a transaction allows until its end."""
        return (self.cleaners, self.clients, self.properties, self.jobs, self.bids, self.reviews, self.payments)

    def _cleaners(self, names: Sequence[str], first: Shown) -> list[Cleaner]:
        told, spots = self.market.cleaners, self.market.cleaners.spots
        about = _said(self.rng, WORDS.cleaner_descriptions, len(names))
        return [
            Cleaner(
                pk=place + 1, name=name, tier=_TIERS[told.tier[place]], is_demo=place in first.cleaners,
                about=about[place].format(district=DISTRICTS[spots.district[place]].name),
                latitude=float(spots.latitude[place]), longitude=float(spots.longitude[place]),
                hourly_rate=_euros(round(100 * told.rate[place])), reach_km=int(told.reach_km[place]),
                jobs_a_week=int(told.jobs_a_week[place]), eco_friendly=bool(told.eco[place]),
                is_available=bool(np.isinf(told.away_from[place])), joined=_moment(told.joined[place]).date(),
            )
            for place, name in enumerate(names)
        ]  # fmt: skip

    def _clients(self, names: Sequence[str], first: Shown) -> list[Client]:
        told = self.market.clients
        return [
            Client(
                pk=place + 1, name=name, budget=_BUDGETS[told.budget[place]], is_demo=place in first.clients,
                joined=_moment(told.joined[place]).date(),
            )
            for place, name in enumerate(names)
        ]  # fmt: skip

    def _properties(self) -> list[Property]:
        told, spots = self.market.properties, self.market.properties.spots
        return [
            Property(
                pk=place + 1, client_id=client + 1, kind=_KINDS[told.kind[place]], size_m2=int(told.size_m2[place]),
                district=DISTRICTS[spots.district[place]].name,
                latitude=float(spots.latitude[place]), longitude=float(spots.longitude[place]),
            )
            for place, client in enumerate(told.client.tolist())
        ]  # fmt: skip

    def _jobs(self) -> list[CleaningJob]:
        jobs, course, bids = self.market.jobs, self.market.course, self.market.bids
        hired = course.winner >= 0
        cleaner = np.where(hired, bids.cleaner[course.winner] + 1, 0).tolist()
        bid = np.where(hired, self.bid_key[course.winner], 0).tolist()
        done, failed = course.has(CleaningJob.Status.COMPLETED), course.has(CleaningJob.Status.FAILED)
        on_time = [bool(said) if known else None for said, known in zip(course.on_time, done | failed, strict=True)]
        accepted, confirmed, ended = (_perhaps(one) for one in (course.accepted, course.confirmed, course.ended))
        wanted_for = _moments(course.wanted_for)
        wish = self._wishes()
        return [
            CleaningJob(
                pk=place + 1, client_id=client + 1, place_id=int(jobs.place[place]) + 1, description=wish[place],
                status=STATUSES[course.status[place]], eco_friendly=bool(jobs.eco[place]),
                hours=Decimal(round(10 * jobs.hours[place])).scaleb(-1), budget=_euros(round(100 * jobs.budget[place])),
                posted_at=_moment(jobs.posted[place]), wanted_for=wanted_for[place], cleaner_id=cleaner[place] or None,
                accepted_bid_id=bid[place] or None, accepted_at=accepted[place], confirmed_at=confirmed[place],
                ended_at=ended[place], cancelled_by_cleaner=bool(course.by_cleaner[place]),
                was_on_time=on_time[place], photos=int(course.photos[place]),
            )
            for place, client in enumerate(jobs.client.tolist())
        ]  # fmt: skip

    def _wishes(self) -> list[str]:
        jobs = self.market.jobs
        drawn = self.rng.random(jobs.kind.size)
        said = [WORDS.job_descriptions[_KINDS[kind]] for kind in jobs.kind.tolist()]
        wishes = [some[int(share * len(some))] for some, share in zip(said, drawn.tolist(), strict=True)]
        return [f"{wish} {WORDS.eco_request}" if eco else wish for wish, eco in zip(wishes, jobs.eco.tolist(), strict=True)]

    def _bids(self) -> list[JobBid]:
        bids, course = self.market.bids, self.market.course
        job = bids.job[self.kept]
        decided = (course.winner >= 0) | ~np.isnan(course.ended)
        withdrawn = self.rng.random(self.kept.size) < WITHDRAWN_SHARE
        lost = np.where(withdrawn, JobBid.Status.WITHDRAWN, JobBid.Status.REJECTED)
        status = np.where(decided[job], lost, JobBid.Status.PENDING)
        status = np.where(course.winner[job] == self.kept, JobBid.Status.ACCEPTED, status).tolist()
        messages, times = _said(self.rng, WORDS.bid_messages, self.kept.size), _moments(bids.time[self.kept])
        columns = zip(job.tolist(), bids.cleaner[self.kept].tolist(), bids.cents[self.kept].tolist(), strict=True)
        return [
            JobBid(
                pk=place + 1, job_id=job + 1, cleaner_id=cleaner + 1, amount=_euros(cents), status=status[place],
                message=messages[place], time=times[place],
            )
            for place, (job, cleaner, cents) in enumerate(columns)
        ]  # fmt: skip

    def _reviews(self) -> list[Review]:
        told, course, bids = self.market.reviews, self.market.course, self.market.bids
        client, cleaner = self.market.jobs.client[told.job] + 1, bids.cleaner[course.winner[told.job]] + 1
        drawn, time = self.rng.random(told.job.size).tolist(), _moments(told.time)
        said = [WORDS.review_comments[mark] for mark in told.overall.tolist()]
        return [
            Review(
                pk=place + 1, job_id=job + 1, client_id=int(client[place]), cleaner_id=int(cleaner[place]),
                overall=int(told.overall[place]), quality=quality, communication=communication,
                professionalism=professionalism, timeliness=timeliness,
                comment=said[place][int(drawn[place] * len(said[place]))], time=time[place],
            )
            for place, (job, (quality, communication, professionalism, timeliness)) in enumerate(
                zip(told.job.tolist(), told.marks.tolist(), strict=True)
            )
        ]  # fmt: skip

    def _payments(self) -> list[Payment]:
        told = self.market.payments
        time, fees = _moments(told.time), told.fee_cents.tolist()
        return [
            Payment(
                pk=place + 1, job_id=job + 1, reference=told.reference[place], amount=_euros(cents),
                platform_fee=_euros(fees[place]), payout=_euros(cents - fees[place]),
                status=payments.STATUSES[told.status[place]], time=time[place],
            )
            for place, (job, cents) in enumerate(zip(told.job.tolist(), told.cents.tolist(), strict=True))
        ]  # fmt: skip


def _said(rng: Rng, sentences: Sequence[str], n: int) -> list[str]:
    return [sentences[place] for place in rng.integers(len(sentences), size=n).tolist()]


def _euros(cents: int) -> Decimal:
    return Decimal(int(cents)).scaleb(-2)


_moment = partial(datetime.fromtimestamp, tz=UTC)


def _moments(column: Floats) -> list[datetime]:
    return [_moment(second) for second in column.tolist()]


def _perhaps(column: Floats) -> list[datetime | None]:
    """None where it did not come to that."""
    return [None if math.isnan(second) else _moment(second) for second in column.tolist()]
