"""One catalogue of the site as an export: in one snapshot of the database, printed stage by stage."""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import transaction

from recommendation_service.datasets.export import Exported, write_export
from recommendation_service.datasets.export_content import Say, Source
from tandem.exports import impressions, interactions
from tandem.selectors.popular import read_and_share
from tandem.sources import ItemSource, use_case_of
from tandem.surfaces import bound_surface
from tandem.use_cases import load


def export_catalogue(
    *, source: type[ItemSource], data_dir: Path, fresh: Collection[str], say: Say, now: float | None = None
) -> Exported:
    """Publish one catalogue's export; see datasets/export.py for `fresh`. Raises DatasetError with the fix."""
    use_case = load(use_case_of(source))
    pair_config = use_case.pairs
    with snapshot():
        names = interactions.event_names(tuple(use_case.events))
        feed = Source(
            items=source.records,
            people=source.people,
            item_keys=lambda: interactions.item_keys(source.catalogue),
            user_keys=interactions.user_keys,
            event_names=names,
            events=lambda: interactions.events_of(source.catalogue, names),
            shown=impressions.feed_of(use_case.name, source.catalogue, names),
            matches=source.matches if pair_config is not None and pair_config.right == source.catalogue else None,
        )
        exported = write_export(
            data_dir, use_case, source.catalogue, feed, now=time.time() if now is None else now, fresh=fresh, say=say
        )
    shown = [name for name, surface in use_case.surfaces.items() if surface.catalogue == source.catalogue]
    if shown:
        read_and_share(bound_surface(use_case.name, shown[0]))
    return exported


@contextmanager
def snapshot() -> Iterator[None]:
    """One unchanging view of the database; inside a caller's transaction, that is the view. Nobody's writing waits for it."""
    connection = interactions.database()
    if connection.in_atomic_block:
        yield
        return
    with _reading(connection), transaction.atomic(using=connection.alias):
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


@contextmanager
def _reading(connection: Any) -> Iterator[None]:
    """On SQLite, transactions that begin here take no lock: what is set for writers would keep all others waiting."""
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()  # connecting sets the mode
    mode, connection.transaction_mode = connection.transaction_mode, "DEFERRED"
    try:
        yield
    finally:
        connection.transaction_mode = mode
