"""The request in catalogue rows, as engines read it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from recommendation_service.core.numeric import Bools, Ints
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.history import History
from recommendation_service.domain.side import PairSide

Profile = Mapping[str, tuple[str, ...]]  # attributes of a user, such as {"skills": ("python", "go")}


def _no_rows() -> Ints:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A request in catalogue rows: everything that an engine may read."""

    catalogue: Catalogue
    history: History
    limit: int
    now: float
    eligible: Bools  # (n_items,) False: must not be shown (seen, filtered away, excluded)
    seen_again: bool = False  # the user has seen every item that could be shown, so seen items are eligible, disliked ones not
    user_id: str | None = None
    profile: Profile = field(default_factory=dict)
    subject: Ints = field(default_factory=_no_rows)  # rows of the items that the request is about
    explain: bool = False
    strategy: str | None = None
    context: PairSide | None = None  # of length 1: what the list is for, such as a job
    offered: PairSide | None = None  # columns of the request's offers, which replace the catalogue; None: items of the export
    chance: float = 0.0  # in [0, 1), derived from the request id: the only randomness of an answer

    @property
    def for_whom(self) -> str:
        """Return the end of a log sentence such as "no prediction for this user"; it contains no id."""
        return "for this user" if self.context is None else "in this context"
