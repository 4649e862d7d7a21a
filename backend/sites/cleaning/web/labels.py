"""What the marketplace's pages say in words: how a list was scored, what its parts mean, and where a job stands."""

from collections.abc import Iterable, Mapping
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
MODES = {RULE_BASED: "Rules", NEURAL: "Network", ENSEMBLE: "Rules and network"}
# codes of the service, not of an engine
AWAY = ("unreachable", "timeout", "bad_answer", "circuit_open", "item_not_exported", "misconfigured")
NEXT = {
    CleaningJob.Status.OPEN: "waits for bids",
    CleaningJob.Status.BIDDING: "has bids to choose from",
    CleaningJob.Status.ACCEPTED: "is given to a cleaner, who has not confirmed yet",
    CleaningJob.Status.CONFIRMED: "is confirmed by the cleaner",
    CleaningJob.Status.COMPLETED: "is done",
    CleaningJob.Status.CANCELLED: "was called off",
    CleaningJob.Status.FAILED: "was not done",
}


def mode_label(mode: str) -> str:
    """What made the scores."""
    if mode == ENSEMBLE:
        shares = ensemble_weights()
        return f"rules ({shares[RULE_BASED]:.0%}) and the network ({shares[NEURAL]:.0%}) together"
    return {RULE_BASED: "rules alone", NEURAL: "the network alone"}.get(mode, mode)


def shortfall_labels(degradation: Iterable[Mapping[str, Any]]) -> list[str]:
    """One sentence for each thing that should have had a say and had none."""
    return [_shortfall(missing) for missing in degradation]


def _shortfall(missing: Mapping[str, Any]) -> str:
    """The engine and why; a service that is away is why the network is not heard."""
    code, detail = missing["code"], missing["detail"]
    if missing["engine"] == NEURAL and code in AWAY:
        return f"The network was not heard: {detail}."
    if code == "nothing_left":
        return f"{detail[:1].upper()}{detail[1:]}."
    return f"{skip_messages([missing])[0]}."


def part_label(name: str) -> str:
    """The word for one part of a score."""
    return PARTS.get(name, name.capitalize())


def next_label(job: CleaningJob) -> str:
    """Where a job stands."""
    return f"This job {NEXT[CleaningJob.Status(job.status)]}."
