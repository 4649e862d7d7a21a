"""Turns expected failures into CommandError: one line with the fix."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError

from recommendation_service.errors import TandemError

EXPORT_FOLDER = "cannot write the export: {}; free some space, make it writable, or choose another folder with --output"


@contextmanager
def as_command_errors(os_error: str = EXPORT_FOLDER) -> Iterator[None]:
    """Raise CommandError for expected failures inside. `os_error` is the message for an OSError, which replaces {}."""
    try:
        yield
    except TandemError as error:
        raise CommandError(error.message) from error
    except DatabaseError as error:
        first_line = str(error).partition("\n")[0]
        message = f"the database cannot be read: {first_line}; if tables are missing, run: manage.py migrate"
        raise CommandError(message) from error
    except ModuleNotFoundError as error:
        if error.name != "pyarrow":
            raise
        raise CommandError("pyarrow is not installed; run: pip install 'tandem-recommendations[export]'") from error
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
        raise CommandError(os_error.replace("{}", reason)) from error
