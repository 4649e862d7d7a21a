"""Forgets a person: every row that names them, in one transaction."""

from django.db import transaction

from tandem.models import CatalogueKey, Feedback, Impression, ImpressionItem, UserInteraction, UserKey
from tandem.signals import interaction_recorded


def erase_user(*, user_id: str) -> dict[str, int]:
    """Delete a user's interactions, lists shown, feedback and key; rows deleted per table, all 0 for an unknown user.

    Cached lists are forgotten at once. Exports and models forget the person when they are made again.
    """
    key = UserKey.objects.filter(user_id=user_id).values_list("pk", flat=True).first()
    gone = {model._meta.model_name or "": 0 for model in (Feedback, ImpressionItem, Impression, UserInteraction, UserKey)}
    with transaction.atomic():
        if key is not None:
            _, deleted = UserKey.objects.filter(pk=key).delete()
            for label, count in deleted.items():
                gone[label.rpartition(".")[2].lower()] = count
        transaction.on_commit(lambda: _announce(user_id))
    return gone


def _announce(user_id: str) -> None:
    for catalogue in CatalogueKey.objects.values_list("name", flat=True):
        interaction_recorded.send(sender=UserKey, user_id=user_id, catalogue=catalogue)
