"""Stores a user's verdict on a recommended item; a new verdict replaces the older one."""

from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import router, transaction
from django.db.models import Max
from django.utils import timezone

from recommendation_service.errors import InvalidInput
from tandem.identity import spelled_user_id
from tandem.models import Feedback, Impression
from tandem.selectors.transactions import writing
from tandem.services.id_mapping import catalogue_key, item_keys, user_keys
from tandem.services.record_interactions import items_shown
from tandem.signals import interaction_recorded
from tandem.sources import source_of


def give_feedback(
    *, user_id: str, catalogue: str, item_id: str, verdict: str, comment: str = "", request_id: UUID | None = None
) -> tuple[Feedback, bool]:
    """Store the verdict; return it and True if it is the user's first on this item.

    `hide` removes the item from the user's lists until another verdict replaces it. A `request_id` of a list that was not
    shown to this user is ignored. Raises InvalidInput for an item that the catalogue does not show. Sends
    `interaction_recorded` after commit, which makes cached lists stale.
    """
    source = source_of(catalogue)
    user_id, item_id = spelled_user_id(user_id), item_id if source is None else source.spelled_item_id(item_id)
    if item_id not in items_shown(catalogue, [item_id]):
        message = f"is not an item of {catalogue}"
        raise InvalidInput(f"item_id {message}", fields={"/item_id": message})
    user = user_keys([user_id])[user_id]
    item = item_keys(catalogue_key(catalogue), [item_id])[item_id]
    shown = Impression.objects.filter(request_id=request_id, user=user).first() if request_id else None
    using = router.db_for_write(Feedback)
    with writing(using):
        newest = Feedback.objects.filter(user_id=user).aggregate(newest=Max("time"))["newest"]
        now = timezone.now()  # later than all the user's verdicts, also where a clock ran ahead: it is the history's version
        time = now if newest is None else max(now, newest + timedelta(microseconds=1))
        feedback, created = Feedback.objects.update_or_create(
            user_id=user,
            item_id=item,
            defaults={"verdict": verdict, "comment": comment, "impression": shown, "time": time},
        )
        announce = partial(interaction_recorded.send, sender=Feedback, user_id=user_id, catalogue=catalogue)
        transaction.on_commit(announce, using=using)
    return feedback, created
