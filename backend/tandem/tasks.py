"""Work for a task queue. With Django 6 or newer these are tasks of `django.tasks`; before, plain functions.

from tandem.tasks import retrain

retrain.enqueue()                  # Django 6 and newer
celery_retrain = shared_task(retrain)   # Celery, with Django 5.2
"""

from collections.abc import Callable
from typing import Any

from tandem.services import retrain as service


def _task(function: Callable[..., Any]) -> Any:
    """Return a task of django.tasks, or the function itself before Django 6."""
    try:
        from django.tasks import task  # new in Django 6.0
    except ImportError:
        return function
    return task(function)


@_task
def retrain(names: list[str] | None = None, min_new: int | None = None) -> dict[str, list[str]]:
    """Sync, export and train; return the versions that were published, by catalogue. See `tandem_retrain`."""
    return service.retrain(names=names or [], min_new=min_new, say=lambda _line: None).published
