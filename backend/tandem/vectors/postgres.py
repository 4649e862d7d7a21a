"""Search with pgvector on PostgreSQL: a copy of each vector in a column that the database can search.

`prepare_pgvector` adds the column; no migration does, so that migrations work on every database. A trigger empties the
copy when the vector of its row changes, and a search first fills the empty copies. So a search never uses an old copy.
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
    """Add the column with the copies to the table of a VectorRow subclass. Return True if the database can search now.

    Return False and change nothing on other databases, and if the extension is neither installed nor may be created. It
    is safe to call this several times.
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
    """Return True if the table has the column with the copies."""
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
    """Make the missing copies, and return their number."""
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
    """Return key and bytes of the `most` nearest rows of a queryset. `wanted` is (d,), like the vector of every row."""
    fill(rows.model, using=rows.db)
    table, _ = _names(rows.model, connections[rows.db])
    far = RawSQL(f"{table}.{COLUMN} <=> %s::vector", [_literal(wanted)], models.FloatField())  # noqa: S611  # quoted name
    return list(rows.annotate(far=far).order_by("far", "pk").values_list("pk", "vector")[:most])


def _literal(vector: Floats) -> str:
    """Return a vector in the notation of pgvector. Nine digits restore every float32 exactly."""
    return "[" + ",".join(f"{number:.9g}" for number in vector.tolist()) + "]"


def _names(rows: type[models.Model], connection: BaseDatabaseWrapper) -> tuple[str, str]:
    """Return the quoted names of the table and of its primary key."""
    key = rows._meta.pk
    return connection.ops.quote_name(rows._meta.db_table), connection.ops.quote_name(str(key.column))
