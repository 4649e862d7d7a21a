"""Writes the synthetic marketplace to its tables, and empties them."""

from collections.abc import Callable

import numpy as np
from django.apps import apps

from demo.synthetic.cleaning.interactions import CATALOGUES, histories
from demo.synthetic.cleaning.market import Market
from demo.synthetic.cleaning.model_rows import Rows
from demo.synthetic.command import delete_rows, write_rows
from sites.cleaning import models
from tandem.services.bulk_load import forget_past, write_past


def write(market: Market, *, seed: int, say: Callable[[str], None]) -> dict[str, int]:
    """Write all rows and events; return how many of each. The caller holds the transaction."""
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
    """Return True if a table of the marketplace has rows."""
    return any(model._default_manager.exists() for model in apps.get_app_config("cleaning").get_models())


def wipe() -> None:
    """Empty all tables of the marketplace, and delete its interactions. The caller holds the transaction."""
    for catalogue in CATALOGUES:
        forget_past(catalogue=catalogue)
    models.CleaningJob.objects.update(accepted_bid=None)  # jobs and bids refer to each other
    delete_rows(reversed(list(apps.get_app_config("cleaning").get_models())))
