"""Whose lists and interactions a user or token may read and write."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendation_service.errors import NotFound
from tandem import identity
from tandem.api.authentication import scopes_of
from tandem.service_client import tokens
from tandem.surfaces import BoundSurface
from tandem.trust.limits import Sender


def may_act_for_all(user: Any) -> bool:
    """True for staff and services (scope recs:any)."""
    return bool(getattr(user, "is_staff", False)) or tokens.ANY in scopes_of(user)


def sender_of(user: Any) -> Sender:
    """Return which limits apply to what this requester sends: a service token is trusted, an account's browser is not."""
    return Sender.SERVICE if tokens.ANY in scopes_of(user) else Sender.BROWSER


def own_user_ids(user: Any, *, catalogue: str | None) -> tuple[str, ...]:
    """Return the requester's own user ids; () for a token without the scope recs:self."""
    if getattr(user, "token_subject", None) is not None and tokens.SELF not in scopes_of(user):
        return ()
    return identity.user_ids_of(user, catalogue=catalogue)


def require_may_see(user: Any, user_id: str, *, catalogue: str) -> None:
    """Raise NotFound, as for an unknown id, unless `user` may see the lists of `user_id`."""
    if not may_act_for_all(user) and user_id not in own_user_ids(user, catalogue=catalogue):
        raise NotFound("not yours")


def require_may_see_everybody(user: Any) -> None:
    """Raise NotFound, as for an unknown id, unless `user` is staff or a service."""
    if not may_act_for_all(user):
        raise NotFound("not yours")


def resolve_user_id(user: Any, requested: str | None, bound: BoundSurface) -> str | None:
    """Return whose list to show: `requested` if the requester may see it, else their own id, or None if they have none here.

    Raises NotFound for an id that the requester may not see, and for an account without a user id on a surface about a user.
    """
    if requested is None and tokens.ANY in scopes_of(user):
        return None
    own = next(iter(identity.user_ids_of(user, catalogue=bound.catalogue)), None)
    user_id = own if requested is None else requested
    if user_id is not None:
        require_may_see(user, user_id, catalogue=bound.catalogue)
    elif bound.about == "user" and not may_act_for_all(user):
        raise NotFound("this account has no user id here")
    return user_id


class StaffOrService(BasePermission):
    """Statistics of all users are for staff and services (scope recs:any)."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """False gives 403, or 401 without a session and token."""
        return may_act_for_all(request.user)


class Operator(BasePermission):
    """Long work on the server may be started by staff, and by tokens with the scope recs:admin."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """False gives 403, or 401 without a session and token."""
        return bool(getattr(request.user, "is_staff", False)) or tokens.ADMIN in scopes_of(request.user)
