"""UI texts of the marketplace's pages: modes, parts of a score, what is missing, and the state of a job."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sites.cleaning.conf import ENSEMBLE, NEURAL, RULE_BASED, ensemble_weights
from sites.cleaning.models import CleaningJob
from storefront.labels import skip_messages

PARTS: Mapping[str, Promise] = {
    "quality": _("Quality"),
    "location": _("Location"),
    "specialization": _("Specialization"),
    "pricing": _("Price"),
    "availability": _("Availability"),
}
MODE_NAMES: Mapping[str, Promise] = {RULE_BASED: _("Rules"), NEURAL: _("Network"), ENSEMBLE: _("Rules and network")}
# codes of a failure of the service, not of an engine
SERVICE_CODES = ("unreachable", "timeout", "bad_answer", "circuit_open", "item_not_exported", "misconfigured")
STATES: Mapping[str, Promise] = {
    CleaningJob.Status.OPEN: _("This job waits for bids."),
    CleaningJob.Status.BIDDING: _("This job has bids to choose from."),
    CleaningJob.Status.ACCEPTED: _("This job is given to a cleaner, who has not confirmed yet."),
    CleaningJob.Status.CONFIRMED: _("This job is confirmed by the cleaner."),
    CleaningJob.Status.COMPLETED: _("This job is done."),
    CleaningJob.Status.CANCELLED: _("This job was cancelled."),
    CleaningJob.Status.FAILED: _("This job was not done."),
}


def mode_label(mode: str) -> str:
    """Return what made the scores."""
    if mode == ENSEMBLE:
        shares = ensemble_weights()
        return gettext("rules (%(rules)s) and the network (%(network)s) together") % {
            "rules": f"{shares[RULE_BASED]:.0%}",
            "network": f"{shares[NEURAL]:.0%}",
        }
    return {RULE_BASED: gettext("rules alone"), NEURAL: gettext("the network alone")}.get(mode, mode)


def missing_label(skip: Mapping[str, Any]) -> str:
    """Return one sentence for an engine that should have scored the list and did not."""
    detail = skip["detail"]
    if skip["engine"] == NEURAL and skip["code"] in SERVICE_CODES:
        return gettext("The network did not score this list: %(detail)s.") % {"detail": detail}
    if skip["code"] == "nothing_left":
        return f"{detail[:1].upper()}{detail[1:]}."
    return f"{skip_messages([skip])[0]}."


def state_label(job: CleaningJob) -> str:
    """Return the state of a job in a sentence."""
    return str(STATES[CleaningJob.Status(job.status)])
