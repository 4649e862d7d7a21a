"""What happens to the history of a user whom the site deletes, by the setting DELETED_USERS."""

import logging
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError
from django.db.models import Model

from tandem.conf import OWN_USER_ID, tandem_settings
from tandem.identity import ACCOUNT
from tandem.selectors.transactions import writing
from tandem.services.erase_user import anonymize_user, erase_user
from tandem.services.record_interactions import interactions_database
from tandem.sources import ItemSource, all_sources

log = logging.getLogger(__name__)


class DeletedUser(NamedTuple):
    """A row of a model of people that the site is about to delete."""

    model: type[Model]
    key: Any
    user_id: str


def people_models() -> Iterator[tuple[type[Model], type[ItemSource] | None]]:
    """Yield the models whose rows are users, with the source that names their ids; None: the id is the primary key."""
    profiles = [(people.model, source) for source in all_sources() for people in source.profiles]
    yield from dict(profiles).items()
    with_account = any(_has_account(model) for model, _ in profiles)
    if not with_account and apps.is_installed("django.contrib.auth") and tandem_settings().user_id == OWN_USER_ID:
        yield apps.get_model(settings.AUTH_USER_MODEL), None


def forget(user: DeletedUser, using: str) -> None:
    """Erase or anonymize the history, unless the deletion was rolled back. Never raises."""
    try:
        if user.model._base_manager.using(using).filter(pk=user.key).exists():
            return
        with writing(interactions_database()):
            if tandem_settings().deleted_users == "anonymize":
                anonymize_user(user_id=user.user_id)
            else:
                erase_user(user_id=user.user_id, for_good=False)
    except DatabaseError:
        log.exception("the history of a deleted user remains; run: manage.py erase_user %s", user.user_id)


def _has_account(model: type[Model]) -> bool:
    return any(field.name == ACCOUNT for field in model._meta.get_fields())
