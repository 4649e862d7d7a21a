"""The histories of all users at one time, as arrays: the input of trainers and evaluation."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import Bools, Floats, Ints
from recommendation_service.datasets.reader import Events
from recommendation_service.datasets.weighting import capped, decay, first_of_day, newest_places
from recommendation_service.domain.history import HISTORY_LIMIT, History
from recommendation_service.use_cases.schema import Weighting


@dataclass(frozen=True, slots=True, eq=False)
class UserHistories:
    """The History of every user, one after the other: user u has the entries indptr[u] to indptr[u + 1]."""

    indptr: Ints  # (n_users + 1,)
    rows: Ints  # item rows, unique in a user, newest first
    weights: Floats  # after decay and cap; negative: dislikes
    counts: Ints  # (n_users,) positive events, repeats of a day once: what routing counts
    n_items: int

    def __len__(self) -> int:
        return int(self.counts.size)

    def of(self, user: int) -> History:
        """One user's History, bounded like a request's."""
        start, end = int(self.indptr[user]), int(self.indptr[user + 1])
        stop = min(end, start + HISTORY_LIMIT)
        older = self.rows[stop:end]
        disliked = older[self.weights[stop:end] < 0]
        return History(self.rows[start:stop], self.weights[start:stop], int(self.counts[user]), older, disliked)

    def users(self) -> Ints:
        """(nnz,) the user of each entry."""
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.indptr))

    def matrix(self) -> sparse.csr_array:
        """(n_users, n_items) float32 of weights; an entry with weight 0 (seen, no opinion) is stored as 0."""
        return sparse.csr_array((self.weights, self.rows, self.indptr), shape=(len(self), self.n_items))

    def liked(self) -> "UserHistories":
        """Only the items with a positive weight, in the same order."""
        keep = self.weights > 0
        ends = np.concatenate([[0], np.cumsum(keep)])
        return UserHistories(ends[self.indptr].astype(np.int64), self.rows[keep], self.weights[keep], self.counts, self.n_items)


def build_histories(events: Events, n_users: int, n_items: int, weighting: Weighting, now: float) -> UserHistories:
    """The histories of all users from raw events; `datasets.weighting.history_of` does the same for one user."""
    once = first_times(events)
    faded = np.where(once, events.weights * decay(events.times, now, weighting.halving_days), 0)
    keys, entry = np.unique(events.users * n_items + events.items, return_inverse=True)
    total = capped(np.bincount(entry, weights=faded, minlength=keys.size).astype(np.float32), weighting.cap)
    users, items = np.divmod(keys, n_items)
    order = np.lexsort((-newest_places(entry, keys.size, events.times), users))
    counts = np.bincount(events.users[once & (events.weights > 0)], minlength=n_users)
    indptr = np.searchsorted(users, np.arange(n_users + 1))
    return UserHistories(indptr.astype(np.int64), items[order], total[order], counts.astype(np.int64), n_items)


def first_times(events: Events) -> Bools:
    """(k,), False for repeats within a day. Events without a kind are distinguished by their weights."""
    kinds = events.kinds if events.kinds.size else np.unique(events.weights, return_inverse=True)[1].astype(np.int64)
    return first_of_day(events.users, events.items, kinds, events.times)
