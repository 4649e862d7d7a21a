"""The marketplace's two catalogues, which are paired in one use case."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from recommendation_service.datasets.pair_outcomes import Matches
from recommendation_service.domain.query import Profile
from recommendation_service.domain.side import PairSide
from sites.cleaning.candidates import cleaners_for_jobs, jobs_for_cleaners
from sites.cleaning.models import Cleaner, CleaningJob, Client, JobBid, Review
from sites.cleaning.scoring.pair_features import cleaner_side, job_side
from sites.cleaning.training_data import matches
from sites.cleaning.user_ids import PREFIXES
from tandem.events import Event
from tandem.sources import CandidateSet, ItemSource

KNOWN_DAYS = 90  # a job stays in the catalogue this long, so that interactions with it still count


def cleaners() -> QuerySet[Cleaner]:
    """Return all cleaners."""
    return Cleaner.objects.select_related("standing").order_by("pk")


def known_jobs() -> QuerySet[CleaningJob]:
    """Return jobs that take bids, and those of the last 90 days."""
    recent = Q(posted_at__gte=timezone.now() - timedelta(days=KNOWN_DAYS))
    return CleaningJob.objects.filter(recent | Q(status__in=CleaningJob.OFFERED)).select_related("place").order_by("pk")


class Cleaners(ItemSource):
    """Cleaners, recommended to clients for a job while they are available."""

    catalogue = "cleaners"
    use_case = "cleaning"
    queryset = cleaners
    available = {"is_available": True}
    title = "name"
    text = ("name", "about")
    category = "standing__primary_property_type"
    created = "joined"
    filters = ("eco_friendly",)
    events = {"review": Event(Review, value="overall")}
    profiles = (Client.objects.all(),)
    id_prefixes = PREFIXES
    page_events = ("view", "contact")
    page_first = "is_demo"
    own_page = "cleaning:home"

    @classmethod
    def side(cls, items: Sequence[Cleaner]) -> PairSide:
        """Return the columns of cleaners, with the scores of the last update_cleaner_scores."""
        return cleaner_side(items)

    @classmethod
    def candidates(cls, subject_ids: Sequence[str], filters: Profile) -> Mapping[str, CandidateSet]:
        """Return the cleaners of today for each job."""
        return cleaners_for_jobs(subject_ids, filters)

    @classmethod
    def matches(cls) -> Matches:
        """Return the training data of pairs."""
        return matches()

    @classmethod
    def card(cls, item: Cleaner) -> dict[str, Any]:
        """Return the card with hourly rate and distance."""
        eco = ("eco-friendly products",) if item.eco_friendly else ()
        facts = (f"€{item.hourly_rate} an hour", f"up to {item.reach_km} km", *eco)
        return {**super().card(item), "text": item.about, "facts": facts}


class Jobs(ItemSource):
    """Jobs, recommended to cleaners while they take bids."""

    catalogue = "jobs"
    use_case = "cleaning"
    queryset = known_jobs
    available = {"status__in": CleaningJob.OFFERED}
    title = "place"
    text = ("place", "description")
    category = "place__kind"
    created = "posted_at"
    filters = ("eco_friendly",)
    events = {"bid": JobBid}
    profiles = (Cleaner.objects.all(),)
    id_prefixes = PREFIXES
    page_events = ("view",)
    page_first = "is_demo"
    own_page = "cleaning:home"

    @classmethod
    def side(cls, items: Sequence[CleaningJob]) -> PairSide:
        """Return the columns of the jobs as of now."""
        return job_side(items)

    @classmethod
    def candidates(cls, subject_ids: Sequence[str], filters: Profile) -> Mapping[str, CandidateSet]:
        """Return the jobs of today for each cleaner."""
        return jobs_for_cleaners(subject_ids, filters)

    @classmethod
    def describe(cls, person: Cleaner) -> str:
        """Return a text such as "€15.00 an hour, up to 25 km"."""
        return f"€{person.hourly_rate} an hour, up to {person.reach_km} km"

    @classmethod
    def card(cls, item: CleaningJob) -> dict[str, Any]:
        """Return the card with date, hours and budget."""
        facts = (f"{item.wanted_for:%d %B %Y}", f"{item.hours} hours", f"up to €{item.budget}")
        return {**super().card(item), "text": item.description, "facts": facts}
