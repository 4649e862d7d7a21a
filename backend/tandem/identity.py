"""The user ids of a logged-in user."""

from collections.abc import Collection, Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Model, QuerySet
from django.utils.module_loading import import_string

from tandem import sources
from tandem.conf import OWN_USER_ID, tandem_settings
from tandem.selectors.items import column_values

ACCOUNT = "account"  # the field of a profile model that is the Django user, whatever else points at users


def user_id_of(user: Any) -> str | None:
    """Return the user id of a Django user or of a token's user, or None if it has none.

    A token contains the id. For a Django user it is the primary key of the profile that belongs to the user: by its field
    `account`, else by its one-to-one field to users. It is `str(user.pk)` only where no profile model belongs to users: the
    number could be the id of another profile.
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
    profiles = list(_profiles_of_users())
    if not profiles:
        return (str(user.pk),)
    user_ids = [
        f"{prefix}{pk}"
        for name, prefix, queryset, account in profiles
        if catalogue in (None, name)
        for pk in ([user.pk] if account == "pk" else queryset.filter(**{account: user.pk}).values_list("pk", flat=True))
    ]
    return tuple(dict.fromkeys(user_ids))


def _profiles_of_users() -> Iterator[tuple[str, str, QuerySet[Any], str]]:
    """Yield catalogue, prefix of user ids, queryset and account field of all profiles that belong to users."""
    for source in sources.all_sources():
        for queryset in source.profiles:
            account = _account_field(queryset.model)
            if account:
                yield source.catalogue, source.id_prefixes.get(queryset.model._meta.label, ""), queryset.all(), account


def _account_field(model: type[Model]) -> str:
    """Return the field that is the user of a profile; "" if there is none. The profile of a user may be the user."""
    if model is get_user_model():
        return "pk"
    fields = {field.name: field for field in model._meta.fields}
    if ACCOUNT in fields:
        return ACCOUNT
    return next((name for name, field in fields.items() if field.one_to_one and field.related_model is get_user_model()), "")
