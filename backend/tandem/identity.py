"""From whoever is logged in to the user ids whose lists are theirs to see."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from tandem import sources
from tandem.conf import OWN_USER_ID, tandem_settings

ACCOUNT = "account"  # the field by which a site's person row names its Django account


def user_id_of(user: Any) -> str | None:
    """The user id of whoever is logged in, or None when they have none.

    A token's user carries its own id. A Django account is the person row whose `account` it is; only where no site
    links people to accounts is it `str(user.pk)`, since a number could be another person's id. The setting
    TANDEM["USER_ID"] names another function with this signature.
    """
    return next(iter(user_ids_of(user)), None)


def user_ids_of(user: Any, *, catalogue: str | None = None) -> tuple[str, ...]:
    """Every user id of whoever is logged in: one account may be a developer and an investor. Empty for nobody.

    With `catalogue`, only people of that catalogue's source.
    """
    if not getattr(user, "is_authenticated", False):
        return ()
    subject = getattr(user, "token_subject", None)
    if subject is not None:
        return (subject,)
    path = tandem_settings().user_id
    if path != OWN_USER_ID:
        named = import_string(path)(user)
        return () if named is None else (str(named),)
    return _linked(user, catalogue)


def _linked(user: Any, catalogue: str | None) -> tuple[str, ...]:
    every = list(_people(None))
    if not every:
        return (str(user.pk),)
    asked = every if catalogue is None else list(_people(catalogue))
    found = [
        f"{prefix}{pk}" for prefix, people in asked for pk in people.filter(**{ACCOUNT: user.pk}).values_list("pk", flat=True)
    ]
    return tuple(dict.fromkeys(found))


def _people(catalogue: str | None) -> Iterator[tuple[str, QuerySet[Any]]]:
    """The declared people who can be linked to an account, each kind after what its user ids begin with."""
    for source in sources.all_sources():
        if catalogue is not None and source.catalogue != catalogue:
            continue
        for people in source.profiles:
            try:
                people.model._meta.get_field(ACCOUNT)
            except FieldDoesNotExist:
                continue
            yield source.id_prefixes.get(people.model._meta.label, ""), people.all()
