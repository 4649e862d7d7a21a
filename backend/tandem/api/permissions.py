"""Who may see whose lists, and who may see everybody's figures."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendation_service.errors import NotFound
from tandem import identity, tokens
from tandem.api.authentication import scopes_of


def require_may_see(user: Any, user_id: str, *, catalogue: str) -> None:
    """Raise NotFound, as for an unknown thing, unless `user` may see the lists of `user_id`.

    Staff and services (scope recs:any) may see everybody's; everyone else their own only.
    """
    if getattr(user, "is_staff", False) or tokens.ANY in scopes_of(user):
        return
    subject = getattr(user, "token_subject", None)
    if subject is not None and tokens.SELF not in scopes_of(user):
        raise NotFound("not yours")
    if user_id not in identity.user_ids_of(user, catalogue=catalogue):
        raise NotFound("not yours")


def require_may_see_everybody(user: Any) -> None:
    """Raise NotFound, as for an unknown thing, unless `user` is staff or a service (scope recs:any)."""
    if not (getattr(user, "is_staff", False) or tokens.ANY in scopes_of(user)):
        raise NotFound("not yours")


class StaffOrService(BasePermission):
    """Staff and services (scope recs:any): figures of everybody together are for those who may see anybody's lists."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """False sends 403, and 401 to those who did not say who they are."""
        return bool(getattr(request.user, "is_staff", False)) or tokens.ANY in scopes_of(request.user)


class Operator(BasePermission):
    """Staff, and tokens with the scope recs:admin: those who may start long work on the server."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """False sends 403, and 401 to those who did not say who they are."""
        return bool(getattr(request.user, "is_staff", False)) or tokens.ADMIN in scopes_of(request.user)
