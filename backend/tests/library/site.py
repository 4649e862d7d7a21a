"""Declares the library to Tandem for one test, and takes it back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete

from tandem import sources
from tandem.event_sync.live import connect
from tandem.event_sync.mirror import Mirror, declared_events, mirror_of, mirrors_of
from tandem.models import UserInteraction
from tandem.sources import ItemSource
from tests.library.models import Work

SIGNALS = (post_save, post_delete, pre_delete, m2m_changed)


def declared(**options: Any) -> type[ItemSource]:
    """Return a declaration of the works, changed by `options`."""
    items = {} if "models" in options else {"queryset": Work.objects.all()}
    whole = {"catalogue": "library", **items, "text": ("title",), **options}
    return type("Library", (ItemSource,), {"__module__": "library.recommendation_sources", **whole})


@contextmanager
def mirrored(**options: Any) -> Iterator[Mirror]:
    """Mirror the only event table of `options`; signals are disconnected afterwards."""
    source = declared(**options)
    receivers = [(signal, list(signal.receivers)) for signal in SIGNALS]
    try:
        (name,) = source.events if isinstance(source.events, dict) else (source.events[0].name or source.events[0].event,)
        mirror = mirror_of(source, name)
        connect(mirror)
        yield mirror
    finally:
        sources._registry.pop(source.catalogue)
        for signal, before in receivers:
            signal.receivers = before
            signal.sender_receivers_cache.clear()


@contextmanager
def all_mirrored(**options: Any) -> Iterator[type[ItemSource]]:
    """Mirror every event table of `options`, of a catalogue that may have several models."""
    source = declared(**options)
    receivers = [(signal, list(signal.receivers)) for signal in SIGNALS]
    try:
        for name, event in declared_events(source):
            for mirror in mirrors_of(source, name, event):
                connect(mirror)
        yield source
    finally:
        sources._registry.pop(source.catalogue)
        for signal, before in receivers:
            signal.receivers = before
            signal.sender_receivers_cache.clear()


def interactions() -> list[tuple[str, str, str]]:
    """Return user id, item id and event of everything that is mirrored, sorted."""
    rows = UserInteraction.objects.filter(catalogue__name="library")
    return sorted(rows.values_list("user__user_id", "item__item_id", "kind__name"))
