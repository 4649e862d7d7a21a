"""Records which list was shown to whom, so that a later click can be joined with it.

In a web request the lists go to the spool when the response was sent, and a thread writes them a moment later: neither this
request nor the next one of the process waits for the database. Outside a request, such as in a command, they are written at
once, and what the database does not take within WAIT_S goes to the spool.
"""

import logging
import threading
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import connections, router
from django.db.utils import Error, IntegrityError
from django.utils import timezone

from recommendation_service.errors import NotFound
from tandem.event_sync import spool
from tandem.event_sync.spool_writer import write_soon, writes_in_background
from tandem.identity import existing_user_ids
from tandem.models import Impression, ImpressionItem, UserKey
from tandem.selectors.deadlines import list_deadline
from tandem.selectors.transactions import contained, writing
from tandem.services.id_mapping import catalogue_key, item_keys, user_keys
from tandem.signals import slate_shown
from tandem.surfaces import BoundSurface, bound_surface

Shown = list[tuple[BoundSurface, list[dict[str, Any]]]]


class _Pause(threading.local):
    """Until when (monotonic seconds) this thread does not ask the database to store lists, and does not replay the spool."""

    until = 0.0
    replay = 0.0


WAIT_S = 0.05  # for other writers
PAUSE_S = 5.0

log = logging.getLogger(__name__)
_pause = _Pause()
_waiting: ContextVar[Shown | None] = ContextVar("tandem_shown_lists", default=None)  # None: not in a web request


def connect_requests() -> None:
    """Collect the lists of each web request, and write them when its response was sent."""
    request_started.connect(_begin, dispatch_uid="tandem.impressions.begin")
    request_finished.connect(_finish, dispatch_uid="tandem.impressions.finish")


def record_shown(*, bound: BoundSurface, answers: Sequence[Mapping[str, Any]]) -> None:
    """Record shown lists: after the response in a web request, else now."""
    waiting = _waiting.get()
    if waiting is None:
        record_impressions(bound=bound, answers=answers)
        return
    waiting.append((bound, [{**answer, "recommendations": list(map(dict, answer["recommendations"]))} for answer in answers]))


def _begin(**_signal: Any) -> None:
    _write(_waiting.get())  # of a request whose response was never closed
    _waiting.set([])


def _finish(**_signal: Any) -> None:
    waiting = _waiting.get()
    _waiting.set(None)
    if not waiting:
        return
    connection = connections[router.db_for_write(Impression)]
    if writes_in_background() and not connection.in_atomic_block:  # of a test, which reads them in its own transaction
        waiting = [(bound, answers) for bound, answers in waiting if not _spool(bound, answers)]
        write_soon()
    was_closed = connection.connection is None  # by Django, at the end of this request
    with list_deadline():
        _write(waiting)
    if was_closed:
        connection.close_if_unusable_or_obsolete()


def _write(waiting: Shown | None) -> None:
    while waiting:
        bound, answers = waiting.pop(0)
        record_impressions(bound=bound, answers=answers)


def record_impression(*, bound: BoundSurface, answer: Mapping[str, Any]) -> bool:
    """Store the list and its items; return False if the user is unknown or the database refused.

    A list for an unknown user id is not stored: staff may request any id, and a request must not fill the table. A list
    without a user id is stored without a user.
    """
    return record_impressions(bound=bound, answers=[answer]) == 1


def record_impressions(*, bound: BoundSurface, answers: Sequence[Mapping[str, Any]]) -> int:
    """Store several lists of one surface, in as many statements as one; return how many were stored.

    If the database refuses, they go to the spool; for PAUSE_S after that, without asking the database.
    """
    if time.monotonic() >= _pause.until:
        try:
            stored = _record(bound, answers, timezone.now(), wait_s=WAIT_S)
            _replay()
            return stored
        except IntegrityError as error:
            log.warning("a shown list was not recorded: %s", type(error).__name__)
            return 0
        except Error as error:
            log.warning("shown lists wait in the spool: %s", type(error).__name__)
            _pause.until = time.monotonic() + PAUSE_S
    _spool(bound, answers)
    return 0


def _spool(bound: BoundSurface, answers: Sequence[Mapping[str, Any]]) -> bool:
    lists = {"use_case": bound.use_case.name, "surface": bound.name, "answers": list(answers)}
    return spool.append_entry("lists", lists, durable=False)


def _replay() -> None:
    """Write what waits in the spool, if there is something and this thread did not do so a moment ago."""
    if time.monotonic() >= _pause.replay and spool.is_short():
        _pause.replay = time.monotonic() + PAUSE_S
        spool.replay()


def record_spooled(lists: Mapping[str, Any]) -> None:
    """Store lists of the spool, except those that are stored or whose surface is gone. Raises an error of the database."""
    try:
        bound = bound_surface(lists["use_case"], lists["surface"])
    except NotFound:
        return
    stored = {str(key) for key in _stored(lists["answers"])}
    answers = [answer for answer in lists["answers"] if answer["request_id"] not in stored]
    _record(bound, answers, datetime.fromisoformat(lists["time"]), wait_s=None)


def _stored(answers: Sequence[Mapping[str, Any]]) -> Iterable[uuid.UUID]:
    return Impression.objects.filter(pk__in=[answer["request_id"] for answer in answers]).values_list("pk", flat=True)


def _record(bound: BoundSurface, answers: Sequence[Mapping[str, Any]], shown_at: datetime, *, wait_s: float | None) -> int:
    with contained(), writing(router.db_for_write(Impression), wait_s=wait_s):
        users = _user_keys(bound, {answer["user_id"] for answer in answers} - {None})
        recordable = [answer for answer in answers if answer["user_id"] is None or answer["user_id"] in users]
        if recordable:
            _store(users, bound, recordable, shown_at)
    for answer in recordable:
        slate_shown.send_robust(sender=Impression, answer=answer, use_case=bound.use_case.name, surface=bound.name)
    return len(recordable)


def _user_keys(bound: BoundSurface, user_ids: set[str]) -> dict[str, int]:
    """Return the keys of the ids that have one or that the site has a person for."""
    known = dict(UserKey.objects.filter(user_id__in=user_ids).values_list("user_id", "pk")) if user_ids else {}
    new = user_ids - known.keys()
    return known | (user_keys(existing_user_ids(bound.source, new)) if new else {})


def _store(users: Mapping[str, int], bound: BoundSurface, answers: Sequence[Mapping[str, Any]], shown_at: datetime) -> None:
    catalogue, keeps_parts = catalogue_key(bound.catalogue), bound.keeps_parts
    keys = item_keys(catalogue, {item["item_id"] for answer in answers for item in answer["recommendations"]})
    Impression.objects.bulk_create(
        Impression(
            request_id=uuid.UUID(answer["request_id"]),
            user_id=users.get(answer["user_id"]),
            catalogue_id=catalogue,
            use_case=answer["use_case"],
            surface=answer["surface"],
            method_used=answer["method_used"][:40],
            model_version=answer["model_version"],
            degraded=answer["degraded"],
            degradation=answer["degradation"],
            probabilities=answer["probabilities"],
            time=shown_at,
        )
        for answer in answers
    )
    ImpressionItem.objects.bulk_create(
        ImpressionItem(
            impression_id=uuid.UUID(answer["request_id"]),
            item_id=keys[item["item_id"]],
            position=item["position"],
            score=item["score"],
            parts=item["parts"] if keeps_parts else {},
        )
        for answer in answers
        for item in answer["recommendations"]
    )
