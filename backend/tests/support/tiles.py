"""A table with vectors that no site declares, made and dropped by the tests that need it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections, models

from tandem.vectors import VectorRow


class Tile(VectorRow):
    """A thing with a vector, a word to upsert by, and something to filter by."""

    word = models.CharField(max_length=40, unique=True)
    stock = models.IntegerField(default=1)

    class Meta:
        """In no app, so that no migration is missing."""

        app_label = "tests_of_vectors"
        db_table = "tests_tiles"

    def __str__(self) -> str:
        return self.word


@contextmanager
def table(using: str) -> Iterator[type[Tile]]:
    with connections[using].schema_editor() as editor:
        editor.create_model(Tile)
    try:
        yield Tile
    finally:
        with connections[using].schema_editor() as editor:
            editor.delete_model(Tile)
