"""pgvector, where PostgreSQL has it: a copy of each row's vector that the database itself can search.

The copy is a column that Django's models do not know, added by `prepare_pgvector` and never by a migration, so that
migrations run everywhere. A trigger empties it whenever a row's bytes change, whoever changes them, and a search fills
empty copies first: so the copy is never behind.
"""

import logging
from typing import Any

import numpy as np
from django.db import DatabaseError, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from recommendation_service.core.numeric import Floats

EXTENSION, COLUMN = "vector", "vector_pg"
FILL_AT_ONCE = 500
log = logging.getLogger(__name__)


def prepare_pgvector(rows: type[models.Model], *, using: str = "default") -> bool:
    """Add the copy to the table of a VectorRow subclass; True when searches of it are the database's own from now on.

    False, and nothing is changed, on another database, or where the extension is not there and may not be created.
    Safe to call again and again.
    """
    connection = connections[using]
    if connection.vendor != "postgresql":
        return False
    table, key = _names(rows, connection)
    try:
        with transaction.atomic(using=using), connection.cursor() as cursor:
            cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {EXTENSION}")
            index = connection.ops.quote_name(f"recs_missing_{rows._meta.db_table}"[:63])
            for statement in _STATEMENTS:
                cursor.execute(statement.format(table=table, key=key, column=COLUMN, index=index))
    except DatabaseError as error:
        log.info("no pgvector for %s, so it is searched exactly in Python: %s", rows._meta.db_table, str(error).strip())
        return False
    fill(rows, using=using)
    return True


_STATEMENTS = (
    "ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} vector",
    "CREATE INDEX IF NOT EXISTS {index} ON {table} ({key}) WHERE {column} IS NULL",  # so that nothing missing costs nothing
    "CREATE OR REPLACE FUNCTION recs_forget_vector_pg() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN NEW.{column} := NULL; RETURN NEW; END $$",
    "CREATE OR REPLACE TRIGGER recs_forget_vector_pg BEFORE UPDATE ON {table} FOR EACH ROW"
    " WHEN (NEW.vector IS DISTINCT FROM OLD.vector) EXECUTE FUNCTION recs_forget_vector_pg()",
)


def is_prepared(rows: type[models.Model], *, using: str) -> bool:
    """Whether the table has its copy."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT attisdropped",
            [_names(rows, connection)[0], COLUMN],
        )
        return cursor.fetchone() is not None


def fill(rows: type[models.Model], *, using: str) -> int:
    """Make the copies that are missing; how many were made."""
    connection = connections[using]
    table, key = _names(rows, connection)
    filled = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(f"SELECT {key}, vector FROM {table} WHERE {COLUMN} IS NULL LIMIT {FILL_AT_ONCE}")  # noqa: S608  # quoted names
            empty = cursor.fetchall()
            if not empty:
                return filled
            filled += len(empty)
            # the bytes are compared again, so that a change since the look is not overwritten with what was before
            cursor.executemany(
                f"UPDATE {table} SET {COLUMN} = %s::vector WHERE {key} = %s AND vector = %s",  # noqa: S608  # quoted names
                [(_literal(np.frombuffer(raw, dtype="<f4")), row_key, raw) for row_key, raw in empty],
            )


def proposed(rows: QuerySet[Any], wanted: Floats, most: int) -> list[tuple[Any, bytes]]:
    """The best `most` of a queryset as keys and bytes, found by the database; `wanted` is (d,), as all of `rows` are."""
    fill(rows.model, using=rows.db)
    table, _ = _names(rows.model, connections[rows.db])
    far = RawSQL(f"{table}.{COLUMN} <=> %s::vector", [_literal(wanted)], models.FloatField())  # noqa: S611  # quoted name
    return list(rows.annotate(far=far).order_by("far", "pk").values_list("pk", "vector")[:most])


def _literal(vector: Floats) -> str:
    """A vector as pgvector reads it; nine digits bring every float32 back as it was."""
    return "[" + ",".join(f"{number:.9g}" for number in vector.tolist()) + "]"


def _names(rows: type[models.Model], connection: BaseDatabaseWrapper) -> tuple[str, str]:
    """Table and primary key, quoted."""
    key = rows._meta.pk
    return connection.ops.quote_name(rows._meta.db_table), connection.ops.quote_name(str(key.column))
