"""The accounts in quarantine, whose events and lists do not count for others. Everything that counts asks here.

The service has the same rule in `recommendation_service.histories.quarantined`.
"""

from typing import TypeVar

from django.db import DatabaseError
from django.db.models import Exists, Model, OuterRef, QuerySet

from tandem.models import Quarantine
from tandem.selectors.transactions import contained

Row = TypeVar("Row", bound=Model)


def quarantined_keys() -> frozenset[int]:
    """Return the user keys in quarantine; none if the database does not answer, or `migrate` has not run yet."""
    try:
        with contained():
            return frozenset(_entries().values_list("user_id", flat=True))
    except DatabaseError:
        return frozenset()


def counted(rows: QuerySet[Row], user: str = "user_id") -> QuerySet[Row]:
    """Return the rows without those of accounts in quarantine; rows without a user stay. `user` is the path to the key."""
    return rows.filter(~Exists(_entries().filter(user_id=OuterRef(user))))


def counted_sql(column: str) -> str:
    """Return the condition of `counted` as SQL, for a column with user keys of our own tables."""
    table = Quarantine._meta.db_table
    return f"NOT EXISTS (SELECT 1 FROM {table} q WHERE q.user_id = {column} AND q.released IS NULL)"  # noqa: S608 - as said


def _entries() -> QuerySet[Quarantine]:
    return Quarantine.objects.filter(released=None)
