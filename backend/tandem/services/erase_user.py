"""Removes a user from every row, in one transaction: erased, or kept without a name."""

import uuid

from django.db import transaction

from tandem.identity import spelled_user_id
from tandem.models import CatalogueKey, Feedback, Impression, ImpressionItem, UserAlias, UserInteraction, UserKey
from tandem.selectors.transactions import writing
from tandem.services.erased_users import remember_erased
from tandem.services.record_interactions import interactions_database
from tandem.signals import interaction_recorded

BATCH = 1_000


def erase_user(*, user_id: str, for_good: bool = True) -> dict[str, int]:
    """Delete a user's interactions, lists shown, feedback and key; rows deleted per table, all 0 for an unknown user.

    With `for_good`, a keyed hash of the id remains, and neither the site's event tables nor an import bring the user back.
    Cached lists are forgotten at once. Exports and models forget the person when they are made again. Raises InvalidInput
    for blank text and words for no value.
    """
    user_id = spelled_user_id(user_id)
    key = UserKey.objects.filter(user_id=user_id).values_list("pk", flat=True).first()
    deleted = {model._meta.model_name or "": 0 for model in (Feedback, ImpressionItem, Impression, UserInteraction, UserKey)}
    with writing(interactions_database()):
        if for_good:
            merged = UserAlias.objects.filter(user=key).values_list("merged_id", flat=True)
            remember_erased({user_id, *merged})
        if key is not None:
            for label, count in UserKey.objects.filter(pk=key).delete()[1].items():
                deleted[label.rpartition(".")[2].lower()] = count
        announce_everywhere(user_id)
    return deleted


def anonymize_user(*, user_id: str) -> bool:
    """Give a user's history a random id that leads to no one; False for an unknown user.

    The interactions stay for training, whatever becomes of the site's rows. Comments of feedback are deleted.
    """
    user_id = spelled_user_id(user_id)
    key = UserKey.objects.filter(user_id=user_id).first()
    if key is None:
        return False
    with writing(interactions_database()):
        UserAlias.objects.filter(user=key).delete()
        Feedback.objects.filter(user=key).update(comment="")
        rows = list(UserInteraction.objects.filter(user=key).only("pk"))
        for row in rows:  # a new event id, because the old one belongs to a row of the site
            row.event_id, row.origin = uuid.uuid4(), None
        UserInteraction.objects.bulk_update(rows, ["event_id", "origin"], batch_size=BATCH)
        key.user_id = f"anonymous-{uuid.uuid4().hex}"
        key.save(update_fields=["user_id"])
        announce_everywhere(user_id)
    return True


def announce_everywhere(user_id: str) -> None:
    """Send `interaction_recorded` for the user and every catalogue, after commit."""

    def send() -> None:
        for catalogue in CatalogueKey.objects.values_list("name", flat=True):
            interaction_recorded.send(sender=UserKey, user_id=user_id, catalogue=catalogue)

    transaction.on_commit(send, using=interactions_database())
