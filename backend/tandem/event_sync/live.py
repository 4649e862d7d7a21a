"""Mirrors rows of the declared event tables after each commit that changes them. Never raises into the site."""

import logging
import threading
import time
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete
from django.db.transaction import TransactionManagementError

from recommendation_service.domain.ids import public_id
from tandem.conf import settings_problems
from tandem.event_sync import not_mirrored, spool
from tandem.event_sync.deleted_users import DeletedUser, forget, people_models
from tandem.event_sync.mirror import Mirror, all_mirrors
from tandem.event_sync.refresh import refresh
from tandem.event_sync.related import RelatedModel, many_to_many_of, related_models, senders_of
from tandem.selectors.transactions import writing
from tandem.services.record_interactions import interactions_database
from tandem.sources import ItemSource

MOST_ROWS = 1_000  # that one change of a related row may refresh; more are left to sync_interactions
LOCK_S = 1.0  # how long the site's request waits for a lock
PAUSE_S = 5.0  # after an error of the database, rows are spooled for so long without trying it
log = logging.getLogger(__name__)


class _State(threading.local):
    def __init__(self) -> None:
        self.pending: dict[str, dict[str, tuple[Mirror, dict[Any, None]]]] = {}  # database -> declaration -> primary keys
        self.deleted: dict[str, list[DeletedUser]] = {}  # by database
        self.paused_until = 0.0  # monotonic


_state = _State()


def connect_all() -> None:
    """Mirror every row that is saved or deleted from now on, and forget users whom the site deletes."""
    for mirror in all_mirrors():
        connect(mirror)
    if settings_problems():
        return  # a check reports them; a site must be able to start to run the checks
    for model, source in people_models():
        for sender in senders_of(model):
            receiver = partial(_user_deleted, source)
            pre_delete.connect(receiver, sender=sender, weak=False, dispatch_uid=f"tandem.deleted_users.{model._meta.label}")


def connect(mirror: Mirror) -> None:
    """Mirror the rows of one table when they or their related rows change; a second call changes nothing."""

    def row_changed(instance: Model, using: str, **_kwargs: Any) -> None:
        schedule(mirror, [instance.pk], using)

    for sender in senders_of(mirror.model):
        _connect(mirror, post_save, sender, row_changed)
        _connect(mirror, post_delete, sender, row_changed)
    if many_to_many_of(mirror.model):
        _connect(mirror, m2m_changed, mirror.model, partial(_many_to_many_changed, mirror))
    for related in related_models(mirror):
        for sender in senders_of(related.model):
            _connect(mirror, pre_delete, sender, partial(_related_deleted, mirror, related), related.path)
            if related.fields:
                _connect(mirror, post_save, sender, partial(_related_saved, mirror, related), related.path)


def schedule(mirror: Mirror, keys: Collection[Any], using: str) -> None:
    """Mirror the rows with these primary keys after the commit; all rows of a transaction are mirrored together."""
    pending = _state.pending.setdefault(using, {})
    pending.setdefault(mirror.origin, (mirror, {}))[1].update(dict.fromkeys(keys))
    after_commit(partial(_mirror_pending, using), using)


def after_commit(work: Callable[[], None], using: str) -> None:
    """Call `work` after the commit, or now if the site commits by itself."""
    try:
        transaction.on_commit(work, using=using)
    except TransactionManagementError:
        work()


def _connect(mirror: Mirror, signal: Any, sender: type[Model], receiver: Callable[..., None], path: str = "") -> None:
    uid = f"tandem.{mirror.origin}.{mirror.model._meta.label_lower}.{path}"
    signal.connect(receiver, sender=sender, weak=False, dispatch_uid=uid)


def _mirror_pending(using: str) -> None:
    """Mirror what is pending, rows of savepoints that were rolled back included: reading them again changes nothing."""
    for user in _state.deleted.pop(using, ()):  # first: a history that is kept must not lose its rows
        forget(user, using)
    for mirror, keys in _state.pending.pop(using, {}).values():
        _mirror(mirror, list(keys), using)


def _mirror(mirror: Mirror, keys: list[Any], using: str) -> None:
    if time.monotonic() < _state.paused_until:
        spool.append(mirror.origin, keys, using)
        return
    database = interactions_database()
    try:
        with writing(database, wait_s=LOCK_S):
            changes = refresh(mirror, keys, using=using)
    except DatabaseError:
        log.exception("%s: %d rows cannot be mirrored now; they are spooled", mirror.origin, len(keys))
        _state.paused_until = time.monotonic() + PAUSE_S
        spool.append(mirror.origin, keys, using)
    except Exception as error:  # a function of the site's declaration, or a bug: the site's own work must not fail for it
        log.exception("%s: %d rows are not mirrored; see manage.py check_events", mirror.origin, len(keys))
        not_mirrored.add(mirror, not_mirrored.failure(mirror, keys, error))
    else:
        for line in changes.tally.lines(unexpected_only=True):
            log.warning("%s: not mirrored: %s", mirror.origin, line)
        not_mirrored.add(mirror, changes.tally)
        if spool.is_short():
            spool.replay()


def _user_deleted(source: type[ItemSource] | None, *, instance: Model, using: str, **_kwargs: Any) -> None:
    user_id = public_id(str(instance.pk)) if source is None else source.user_id(instance)
    _state.deleted.setdefault(using, []).append(DeletedUser(type(instance), instance.pk, user_id))
    after_commit(partial(_mirror_pending, using), using)


def _many_to_many_changed(
    mirror: Mirror, *, instance: Model, action: str, reverse: bool, pk_set: set[Any] | None, using: str, **_kwargs: Any
) -> None:
    """Rows that will be removed are read before, because nothing tells of them after."""
    if action not in ("post_add", "pre_remove", "pre_clear"):
        return
    for first, second in many_to_many_of(mirror.model):
        here, there = (second, first) if reverse else (first, second)
        target = mirror.model._meta.get_field(here).related_model
        if isinstance(target, type) and isinstance(instance, target):
            others = {} if pk_set is None else {f"{there}__in": pk_set}
            _schedule_rows(mirror, {here: instance.pk, **others}, using)


def _related_saved(mirror: Mirror, related: RelatedModel, *, instance: Model, using: str, **kwargs: Any) -> None:
    updated = kwargs.get("update_fields")
    if updated is None or not related.fields.isdisjoint(updated):
        after_commit(partial(_schedule_rows, mirror, {related.path: instance.pk}, using), using)


def _related_deleted(mirror: Mirror, related: RelatedModel, *, instance: Model, using: str, **_kwargs: Any) -> None:
    """Rows that lose their relation, or are deleted with it, are read before."""
    _schedule_rows(mirror, {related.path: instance.pk}, using)


def _schedule_rows(mirror: Mirror, conditions: dict[str, Any], using: str) -> None:
    try:
        with transaction.atomic(using=using):  # a savepoint: an error must not abort the site's transaction
            rows = mirror.model._base_manager.using(using).filter(**conditions).order_by()
            keys = list(rows.values_list("pk", flat=True)[: MOST_ROWS + 1])
    except Exception:
        log.exception("%s: the rows of a change cannot be read; run manage.py sync_interactions", mirror.origin)
        return
    if len(keys) > MOST_ROWS:
        log.warning("%s: a change affects more than %d rows; run manage.py sync_interactions", mirror.origin, MOST_ROWS)
    elif keys:
        schedule(mirror, keys, using)
