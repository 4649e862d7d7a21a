"""The accounts in quarantine, whose events and lists teach the service nothing: the rule of `tandem.selectors.quarantined`."""

from sqlalchemy import ColumnElement, exists

from recommendation_service.histories.tables import QUARANTINE


def counted(user_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition that a user key is not in quarantine; True for NULL."""
    return ~exists().where(QUARANTINE.c.user_id == user_id, QUARANTINE.c.released.is_(None))
