"""The user ids of a logged-in user."""

from collections.abc import Collection, Iterator
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from tandem import sources
from tandem.conf import OWN_USER_ID, tandem_settings
from tandem.selectors.items import column_values

ACCOUNT = "account"  # the field of a profile model that is the Django user


def user_id_of(user: Any) -> str | None:
    """Return the user id of a Django user or of a token's user, or None if it has none.

    A token contains the id. For a Django user it is the primary key of the profile whose `account` is the user, and
    `str(user.pk)` only where no profile model has that field: the number could be the id of another profile.
    The setting TANDEM["USER_ID"] names another function with this signature.
    """
    return next(iter(user_ids_of(user)), None)


def user_ids_of(user: Any, *, catalogue: str | None = None) -> tuple[str, ...]:
    """Return every user id of a user, since one account may have several profiles; () if the user is not logged in.

    With `catalogue`, only ids of that catalogue's profiles.
    """
    if not getattr(user, "is_authenticated", False):
        return ()
    subject = getattr(user, "token_subject", None)
    if subject is not None:
        return (subject,)
    path = tandem_settings().user_id
    if path != OWN_USER_ID:
        user_id = import_string(path)(user)
        return () if user_id is None else (str(user_id),)
    return _profile_ids(user, catalogue)


def existing_user_ids(source: type[sources.ItemSource], user_ids: Collection[str]) -> set[str]:
    """Return those of the ids that the site has a person for; one query for each kind of person."""
    existing = set[str]()
    for people in source.profiles:
        prefix = source.id_prefixes.get(people.model._meta.label, "")
        ids = [user_id.removeprefix(prefix) for user_id in user_ids if user_id.startswith(prefix)]
        keys = column_values(people.model._meta.pk, ids)
        rows = people.all().filter(pk__in=set(keys.values())).values_list("pk", flat=True) if keys else ()
        found = set(rows)
        # "client-05" is nobody's id
        existing |= {f"{prefix}{each}" for each, key in keys.items() if key in found and (not prefix or each == str(key))}
    return existing


def _profile_ids(user: Any, catalogue: str | None) -> tuple[str, ...]:
    profiles = list(_profiles_with_account())
    if not profiles:
        return (str(user.pk),)
    user_ids = [
        f"{prefix}{pk}"
        for name, prefix, queryset in profiles
        if catalogue in (None, name)
        for pk in queryset.filter(**{ACCOUNT: user.pk}).values_list("pk", flat=True)
    ]
    return tuple(dict.fromkeys(user_ids))


def _profiles_with_account() -> Iterator[tuple[str, str, QuerySet[Any]]]:
    """Yield the catalogue, the prefix of the user ids and the queryset of all profiles that have an account."""
    for source in sources.all_sources():
        for queryset in source.profiles:
            try:
                queryset.model._meta.get_field(ACCOUNT)
            except FieldDoesNotExist:
                continue
            yield source.catalogue, source.id_prefixes.get(queryset.model._meta.label, ""), queryset.all()
