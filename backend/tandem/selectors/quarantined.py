"""The accounts in quarantine, whose events do not count for others."""

from django.db import DatabaseError

from tandem.models import Quarantine
from tandem.selectors.transactions import contained


def quarantined_keys() -> frozenset[int]:
    """Return the user keys in quarantine; none if the database does not answer, or `migrate` has not run yet."""
    try:
        with contained():
            return frozenset(Quarantine.objects.filter(released=None).values_list("user_id", flat=True))
    except DatabaseError:
        return frozenset()
