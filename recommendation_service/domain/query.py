"""The request: in outside ids (Ask), and the same in rows (Query)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from recommendation_service.core.numeric import Bools, Ints
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.history import History, PastEvent
from recommendation_service.domain.side import PairItem, PairSide

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
MAX_OFFERS = 500

Profile = Mapping[str, tuple[str, ...]]  # attributes of a user, such as {"skills": ("python", "go")}


@dataclass(frozen=True, slots=True)
class Ask:
    """One request for recommendations, in external ids."""

    use_case: str
    surface: str
    now: float  # seconds since 1970-01-01 UTC
    user_id: str | None = None
    item_ids: tuple[str, ...] = ()  # the subject of item and basket surfaces
    history: tuple[PastEvent, ...] | None = None  # None: look it up; () : known to be empty
    count: int | None = None  # events that count towards routing; None: derive from history
    profile: Profile | None = None  # None: look it up
    limit: int = DEFAULT_LIMIT
    filters: Profile = field(default_factory=dict)  # facet -> any of these values
    exclude: tuple[str, ...] = ()
    explain: bool = False
    strategy: str | None = None  # the engine the caller wants first; None: the router decides
    request_id: str | None = None
    context: PairItem | None = None  # what the list is for, on a surface about a context; None: item_ids name it
    offers: tuple[PairItem, ...] | None = None  # what may be recommended, as it is now; None: the catalogue


def _no_rows() -> Ints:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """The request in catalogue rows: all that an engine may read."""

    catalogue: Catalogue
    history: History
    limit: int
    now: float
    eligible: Bools  # (n_items,) False: must not be shown (seen, filtered away, excluded)
    seen_again: bool = False  # all that could be shown was seen, so what was seen is eligible again, disliked items not
    user_id: str | None = None
    profile: Profile = field(default_factory=dict)
    subject: Ints = field(default_factory=_no_rows)  # rows of the item or basket asked about
    explain: bool = False
    strategy: str | None = None
    context: PairSide | None = None  # of length 1: what the list is for, such as a job
    offered: PairSide | None = None  # the catalogue's items as the asker brought them; None: they are the export's
    chance: float = 0.0  # in [0, 1), drawn from the request id: the only chance that an answer may depend on

    @property
    def for_whom(self) -> str:
        """What the list is for, in a sentence about what cannot be said; never an id, since the log keeps such sentences."""
        return "for this user" if self.context is None else "in this context"
