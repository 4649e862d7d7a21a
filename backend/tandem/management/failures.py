"""What a command says when the database or the disk fails: one line that tells the fix."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError

from recommendation_service.errors import TandemError


@contextmanager
def told(*, elsewhere: str) -> Iterator[None]:
    """Turns expected failures inside into CommandError; `elsewhere` is how another folder is chosen."""
    try:
        yield
    except TandemError as error:
        raise CommandError(error.message) from error
    except DatabaseError as error:
        first = str(error).partition("\n")[0]
        raise CommandError(f"the database cannot be read: {first}; if tables are missing, run: manage.py migrate") from error
    except OSError as error:
        raise CommandError(f"cannot write the export: {error}; choose another folder {elsewhere}") from error
