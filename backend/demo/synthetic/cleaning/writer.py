"""Puts the invented marketplace into its tables, and takes a marketplace out of them."""

from collections.abc import Callable

import numpy as np
from django.db import connections, router

from demo.synthetic.cleaning.interactions import CATALOGUES, histories
from demo.synthetic.cleaning.market import Market
from demo.synthetic.cleaning.model_rows import Rows
from demo.synthetic.command import write_rows
from sites.cleaning import models
from tandem.services.bulk_load import forget_past, write_past

CHILDREN_FIRST = (
    models.RecommendationFeedback, models.JobRecommendation, models.CleanerRecommendation, models.BidSuggestion,
    models.CleanerScore, models.Payment, models.Review, models.JobBid, models.CleaningJob, models.Property, models.Client,
    models.Cleaner,
)  # fmt: skip


def write(market: Market, *, seed: int, say: Callable[[str], None]) -> dict[str, int]:
    """Every row and event; gives how many of what. The caller holds the transaction."""
    rows = Rows(market, np.random.default_rng([seed, 1]))
    written: dict[str, int] = {}
    for table in rows.tables:
        if table:
            write_rows(table)
            name = str(type(table[0])._meta.verbose_name_plural)
            written[name] = len(table)
            say(f"{len(table):,} {name} written")
    events = histories(rows)
    written["events"] = sum(write_past(catalogue=catalogue, events=events[catalogue]) for catalogue in CATALOGUES)
    say(f"{written['events']:,} events written")
    return written


def is_filled() -> bool:
    """Whether there is anybody or anything in the marketplace."""
    return any(model._default_manager.exists() for model in CHILDREN_FIRST)


def wipe() -> None:
    """Every table of the marketplace, and its past. The caller holds the transaction."""
    for catalogue in CATALOGUES:
        forget_past(catalogue=catalogue)
    connection = connections[router.db_for_write(models.CleaningJob)]
    models.CleaningJob.objects.update(accepted_bid=None)  # jobs and bids name each other
    for model in CHILDREN_FIRST:
        with connection.cursor() as cursor:  # past the signals, which would look for a mirror a row; they are forgotten already
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608 - our own tables
