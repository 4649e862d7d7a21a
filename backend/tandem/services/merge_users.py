"""Joins two user ids into one history, such as a visitor who logs in, or two accounts of one person."""

from recommendation_service.errors import InvalidInput
from tandem.identity import spelled_user_id
from tandem.models import Feedback, Impression, UserAlias, UserInteraction, UserKey
from tandem.selectors.transactions import writing
from tandem.services.erase_user import announce_everywhere
from tandem.services.id_mapping import user_keys
from tandem.services.record_interactions import interactions_database


def merge_users(from_: str, to: str) -> int:
    """Give everything of the user `from_` to the user `to`; return the number of interactions that moved.

    What is recorded under `from_` later, by the site's event tables, an import or the API, is also `to`'s. Of two verdicts
    about one item the newer one stays. Raises InvalidInput if the ids are equal or no ids.
    """
    from_, to = spelled_user_id(from_, field="from_"), spelled_user_id(to, field="to")
    if from_ == to:
        raise InvalidInput(f"'{to}' cannot be merged with itself; name two user ids")
    with writing(interactions_database()):
        UserAlias.objects.filter(merged_id=to).delete()  # `to` was merged before, and is a user again
        target = user_keys([to])[to]
        merged = UserKey.objects.filter(user_id=from_).first()
        moved = 0
        if merged is not None:
            _keep_newer_verdicts(merged.pk, target)
            for model in (Feedback, Impression, UserAlias):
                model._default_manager.filter(user=merged).update(user=target)
            moved = UserInteraction.objects.filter(user=merged).update(user=target)
            merged.delete()
        UserAlias.objects.update_or_create(merged_id=from_, defaults={"user_id": target})
        for user_id in (from_, to):
            announce_everywhere(user_id)
    return moved


def _keep_newer_verdicts(merged: int, target: int) -> None:
    """Delete the older verdict of each item that both users have a verdict about."""
    verdicts = {verdict.item_id: verdict for verdict in Feedback.objects.filter(user=target)}
    for verdict in Feedback.objects.filter(user=merged, item__in=verdicts.keys()):
        min(verdict, verdicts[verdict.item_id], key=lambda each: each.time).delete()
