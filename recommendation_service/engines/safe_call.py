"""One engine's turn: the only place where an unforeseen error becomes a value."""

import logging
from collections.abc import Callable
from typing import TypeVar

from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Skip
from recommendation_service.engines.base import Engine

Given = TypeVar("Given")
log = logging.getLogger("recommendation_service")


class Turns:
    """How failures are met: `reraise` is False in service and True in tests, so that no bug hides in a fallback."""

    reraise: bool = False


def take_turn(engine: Engine, query: Query, act: Callable[[], Given]) -> Given | Skip:
    """What `act` gives, or a Skip with code "failed" and the error's kind; the traceback goes to the log.

    An engine that is bound to the export's rows has no turn where the query's rows are offers: it is passed over.
    """
    if query.offered is not None and not engine.reads_offers:
        return Skip(engine.name, "cannot_say", f"{engine.name} knows the export's items only, not what was offered")
    try:
        return act()
    except Exception as error:  # any bug in one engine must not cost the visitor the other engines' answer
        if Turns.reraise:
            raise
        log.exception("%s failed", engine.name, extra={"engine": engine.name, "version": engine.version})
        return Skip(engine.name, "failed", f"{engine.name} failed ({type(error).__name__}); the log has the traceback")
