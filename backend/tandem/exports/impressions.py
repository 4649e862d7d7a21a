"""Streams the newest impressions and the interactions that answer them, as arrays, without an object per row.

Three queries number the lists in the same way, so that no request id leaves the database. An interaction answers a list only if
its user was shown the list; a list without a user takes the interactions of all users.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import numpy as np
from django.db.backends.base.base import BaseDatabaseWrapper

from recommendation_service.datasets.impressions import NOBODY, AnswerBatch, ListBatch, ShownBatch, ShownFeed
from tandem.exports.interactions import TUPLES, database, seconds
from tandem.models import CatalogueKey, EventKey
from tandem.selectors.quarantined import counted_sql

NEWEST = """
    WITH newest AS (
        SELECT request_id, user_id, surface, method_used, time, row_number() OVER (ORDER BY time, request_id) - 1 AS number
        FROM (
            SELECT request_id, user_id, surface, method_used, time FROM tandem_impression
            WHERE use_case = %s AND catalogue_id = %s AND {counted} ORDER BY time DESC, request_id DESC LIMIT %s
        ) AS last
    )
"""
LISTS = "SELECT number, coalesce(user_id, {nobody}), {time}, surface, method_used FROM newest"
ITEMS = """
    SELECT newest.number, shown.item_id, shown.position, shown.score, {parts}
    FROM newest JOIN tandem_impressionitem AS shown ON shown.impression_id = newest.request_id
"""
ANSWERS = """
    SELECT newest.number, done.item_id, done.kind_id, done.value
    FROM newest JOIN tandem_userinteraction AS done ON done.request_id = newest.request_id
    WHERE done.catalogue_id = %s AND (newest.user_id IS NULL OR done.user_id = newest.user_id) AND {counted}
"""


def feed_of(use_case: str, catalogue: str, names: Sequence[str]) -> ShownFeed:
    """Return the impressions of one catalogue; events are indexes into `names`."""
    key = CatalogueKey.objects.filter(name=catalogue).values_list("pk", flat=True).first()
    if key is None:
        return ShownFeed(lambda _most: (), lambda _most: (), lambda _most: ())
    return ShownFeed(
        lists=lambda limit: _lists([use_case, key, limit]),
        items=lambda limit: _items([use_case, key, limit]),
        answers=lambda limit: _answers([use_case, key, limit], names),
    )


def _lists(which: list[Any]) -> Iterator[ListBatch]:
    connection = database()
    time_column = "extract(epoch FROM time)::float8" if connection.vendor == "postgresql" else "+time"  # as in rows.py
    for numbers, users, times, surfaces, methods in _columns(connection, LISTS.format(nobody=NOBODY, time=time_column), which):
        seconds_utc = np.array(times, dtype=np.float64) if connection.vendor == "postgresql" else seconds(times)
        yield ListBatch(np.array(numbers, dtype=np.int64), np.array(users, dtype=np.int64), seconds_utc, surfaces, methods)


def _items(which: list[Any]) -> Iterator[ShownBatch]:
    connection = database()
    parts = "shown.parts::text" if connection.vendor == "postgresql" else "shown.parts"
    for numbers, items, positions, scores, texts in _columns(connection, ITEMS.format(parts=parts), which):
        yield ShownBatch(
            np.array(numbers, dtype=np.int64),
            np.array(items, dtype=np.int64),
            np.array(positions, dtype=np.int64),
            np.array(scores, dtype=np.float32),
            texts,
        )


def _answers(which: list[Any], names: Sequence[str]) -> Iterator[AnswerBatch]:
    code_of = {name: code for code, name in enumerate(names)}
    kinds = {key: code_of[name] for key, name in EventKey.objects.values_list("pk", "name")}
    for numbers, items, events, values in _columns(
        database(), ANSWERS.format(counted=counted_sql("done.user_id")), [*which, which[1]]
    ):
        yield AnswerBatch(
            np.array(numbers, dtype=np.int64),
            np.array(items, dtype=np.int64),
            np.array([kinds[event] for event in events], dtype=np.int64),
            np.array(values, dtype=np.float32),
        )


def _columns(connection: BaseDatabaseWrapper, query: str, parameters: list[Any]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a query in batches of columns; on PostgreSQL through a server-side cursor."""
    with closing(connection.chunked_cursor()) as cursor:
        # constants of our own; what comes from outside is a parameter
        cursor.execute(f"{NEWEST.format(counted=counted_sql('tandem_impression.user_id'))} {query}", parameters)
        while rows := cursor.fetchmany(TUPLES):
            yield tuple(zip(*rows, strict=True))
