"""The user ids of a logged-in user."""

from collections.abc import Collection, Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Model, QuerySet
from django.utils.module_loading import import_string

from recommendation_service.domain.ids import HASHED, is_nothing, public_id, spelled_id
from tandem import sources
from tandem.conf import OWN_USER_ID, tandem_settings
from tandem.item_ids import column_of, column_values, site_ids, typed_key

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
        named = user_id_or_none(subject)
        return () if named is None else (named,)
    path = tandem_settings().user_id
    if path != OWN_USER_ID:
        user_id = user_id_or_none(import_string(path)(user))
        return () if user_id is None else (user_id,)
    return _profile_ids(user, catalogue)


def existing_user_ids(source: type[sources.ItemSource], user_ids: Collection[str]) -> set[str]:
    """Return those of the ids that the site has a person for; one query for each kind of person."""
    existing = set[str]()
    for people in source.profiles:
        prefix = source.id_prefixes.get(people.model._meta.label, "")
        keys = column_values(people.model._meta.pk, site_ids(people.all(), "pk", user_ids, prefix=prefix))
        rows = people.all().filter(pk__in=set(keys.values())).values_list("pk", flat=True) if keys else ()
        existing |= {public_id(f"{prefix}{key}") for key in rows}
    return existing.intersection(user_ids)


def spelled_user_id(raw: Any, *, field: str = "user_id") -> str:
    """Return the id of the user that a caller names by a key or an id, however it is spelled.

    A UUID may be in capitals, a number may have zeros before it, if the primary keys of the site's people leave one reading.
    Raises InvalidInput, which names `field`, for blank text and words for no value.
    """
    user_id = spelled_id(str(raw), field=field)
    if HASHED.fullmatch(user_id) or tandem_settings().user_id != OWN_USER_ID:
        return user_id
    kinds = {(source.id_prefixes.get(people.model._meta.label, ""), people.model) for source, people in _all_people()}
    fitting = [(prefix, model) for prefix, model in kinds or {("", get_user_model())} if user_id.startswith(prefix)]
    longest = max((len(prefix) for prefix, _ in fitting), default=0)
    readings = {
        f"{prefix}{key}"
        for prefix, model in fitting
        if len(prefix) == longest and (key := typed_key(column_of(model, "pk"), user_id.removeprefix(prefix))) is not None
    }
    return public_id(readings.pop()) if len(readings) == 1 else user_id


def user_id_or_none(raw: Any) -> str | None:
    """Return `spelled_user_id`, or None for None, blank text and words for no value: nobody."""
    return None if raw is None or is_nothing(str(raw)) else spelled_user_id(raw)


def _all_people() -> Iterator[tuple[type[sources.ItemSource], QuerySet[Any]]]:
    for source in sources.all_sources():
        yield from ((source, people) for people in source.profiles)


def _profile_ids(user: Any, catalogue: str | None) -> tuple[str, ...]:
    profiles = list(_profiles_of_users())
    if not profiles:
        return (public_id(str(user.pk)),)
    user_ids = [
        public_id(f"{prefix}{pk}")
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
