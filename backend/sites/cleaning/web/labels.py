"""UI texts of the marketplace's pages: modes, parts of a score, what is missing, and the state of a job."""

from collections.abc import Mapping
from typing import Any

from sites.cleaning.conf import ENSEMBLE, NEURAL, RULE_BASED, ensemble_weights
from sites.cleaning.models import CleaningJob
from storefront.labels import skip_messages

PARTS = {
    "quality": "Quality",
    "location": "Location",
    "specialization": "Specialization",
    "pricing": "Price",
    "availability": "Availability",
}
MODE_NAMES = {RULE_BASED: "Rules", NEURAL: "Network", ENSEMBLE: "Rules and network"}
# codes of a failure of the service, not of an engine
SERVICE_CODES = ("unreachable", "timeout", "bad_answer", "circuit_open", "item_not_exported", "misconfigured")
STATES = {
    CleaningJob.Status.OPEN: "waits for bids",
    CleaningJob.Status.BIDDING: "has bids to choose from",
    CleaningJob.Status.ACCEPTED: "is given to a cleaner, who has not confirmed yet",
    CleaningJob.Status.CONFIRMED: "is confirmed by the cleaner",
    CleaningJob.Status.COMPLETED: "is done",
    CleaningJob.Status.CANCELLED: "was cancelled",
    CleaningJob.Status.FAILED: "was not done",
}


def mode_label(mode: str) -> str:
    """Return what made the scores."""
    if mode == ENSEMBLE:
        shares = ensemble_weights()
        return f"rules ({shares[RULE_BASED]:.0%}) and the network ({shares[NEURAL]:.0%}) together"
    return {RULE_BASED: "rules alone", NEURAL: "the network alone"}.get(mode, mode)


def missing_label(skip: Mapping[str, Any]) -> str:
    """Return one sentence for an engine that should have scored the list and did not."""
    detail = skip["detail"]
    if skip["engine"] == NEURAL and skip["code"] in SERVICE_CODES:
        return f"The network did not score this list: {detail}."
    if skip["code"] == "nothing_left":
        return f"{detail[:1].upper()}{detail[1:]}."
    return f"{skip_messages([skip])[0]}."


def state_label(job: CleaningJob) -> str:
    """Return the state of a job in a sentence."""
    return f"This job {STATES[CleaningJob.Status(job.status)]}."
