"""What the simulations of all sites share: the history that they make, one person who chooses among items, random draws.

Randomness is always an argument, so the same seed gives the same site.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np
from django.db.models import Model
from numpy.typing import NDArray

from recommendation_service.domain.history import PastEvent
from tandem.event_sync.mirror import declared_events, mirror_of
from tandem.selectors.history import count_of
from tandem.services.bulk_load import Happened, Shown
from tandem.sources import ItemSource, use_case_of, values_of
from tandem.use_cases import load

Rng = np.random.Generator
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
T = TypeVar("T")

HOUR_S, DAY_S = 3_600.0, 86_400.0
ACTIVITY_SHARES = {"none": 0.10, "few": 0.20, "some": 0.32}  # of the people; the others have 20 counted interactions or more


class SiteHistory:
    """A synthetic site that is not written yet: its rows, the interactions of its people, and the lists they were shown."""

    def __init__(self, source: type[ItemSource], seed: int, *, items: Sequence[Any], people: Sequence[Any]) -> None:
        self.source, self.seed, self.items, self.people = source, seed, items, people
        self.tables: defaultdict[type[Model], list[Any]] = defaultdict(list)  # rows by model, in the order of writing
        self.events: list[Happened] = []
        self.lists: list[Shown] = []
        self.mirrors = {event: mirror_of(source, event) for event, _ in declared_events(source)}
        self.add(*people, *items)

    def id(self, kind: str, number: int) -> UUID:
        """Return an id that depends on the site, the seed and these arguments only."""
        return stable_id(self.source.catalogue, self.seed, kind, number)

    def next_event_id(self) -> UUID:
        """Return the id of the next event without a row: its number."""
        return self.id("event", len(self.events))

    def add(self, *rows: Model) -> None:
        """Add rows to their tables."""
        for row in rows:
            self.tables[type(row)].append(row)

    def add_event(self, event: str, row: Model, request_id: UUID | None = None) -> None:
        """Add a row of the site's event table, and the interaction that the sync would make from it.

        `request_id` is of the list that led to the event, for tables that do not store it.
        """
        self.add(row)
        mirror = self.mirrors[event]
        columns: dict[str, Any] = {part: next(iter(values_of(row, path)), None) for part, path in mirror.paths.items()}
        user_id, item_id = f"{mirror.user_prefix}{columns['user']}", str(columns["item"])
        answered = columns.get("request_id") or request_id
        self.events.append(
            Happened(mirror.event_id(row.pk), user_id, item_id, event, columns["time"], columns.get("value"), answered)
        )

    def record(self, person: Any, row: int, event: str, time: datetime, request_id: UUID | None = None) -> None:
        """Record an interaction with an item, by its row, that has no table of its own."""
        self.events.append(
            Happened(self.next_event_id(), str(person.pk), str(self.items[row].pk), event, time, None, request_id)
        )

    def counts(self) -> list[int]:
        """Return the counted interactions of each person, by the rule that routing uses."""
        events: defaultdict[str, list[PastEvent]] = defaultdict(list)
        for event in self.events:
            events[event.user_id].append(PastEvent(event.item_id, event.event, event.time.timestamp(), event.value))
        use_case = load(use_case_of(self.source))
        return [count_of(events[str(person.pk)], use_case) for person in self.people]


class PersonSimulator:
    """One person and their interest in each item. Subclasses decide when the person visits and what follows.

    `interest` is (n_items,), in logs: the person acts on an item with probability 1/2 if it equals `half_interest`.
    """

    half_interest: float = 0.0

    def __init__(self, rng: Rng, history: SiteHistory, person: Any, interest: Floats) -> None:
        self.rng, self.history, self.person, self.interest = rng, history, person, interest

    def appeal(self, row: int) -> float:
        """Return the probability, 0 to 1, that an item appeals to the person."""
        return float(1 / (1 + np.exp(self.half_interest - self.interest[row])))

    def happens(self, probability: float) -> bool:
        """Draw an event of this probability."""
        return bool(self.rng.random() < probability)

    def noise(self, scale: float = 1.0) -> Floats:
        """Draw (n_items,) Gumbel noise: the best of scores plus noise is a draw in proportion to exp(score)."""
        return scale * self.rng.gumbel(size=self.interest.size)


def best_rows(scores: Floats, allowed: Bools, count: int) -> list[int]:
    """Return at most `count` allowed rows, the highest score first."""
    rows = np.argsort(np.where(allowed, -scores, np.inf), kind="stable")[:count]
    return [int(row) for row in rows if allowed[row]]


def stable_id(site: str, seed: int, kind: str, number: int) -> UUID:
    """Return an id that depends on these arguments only."""
    return uuid5(NAMESPACE_URL, f"tandem/{site}/{seed}/{kind}/{number}")


def full_names(rng: Rng, first_names: Sequence[str], last_names: Sequence[str], count: int) -> list[str]:
    """Draw `count` different full names; a name that is used again gets a number."""
    names = [f"{first} {last}" for first in first_names for last in last_names]
    return numbered(rng, names, count)


def numbered(rng: Rng, names: Sequence[str], count: int) -> list[str]:
    """Return `count` names in random order; from the second round on they are numbered."""
    order = rng.permutation(len(names)).tolist()
    rounds = (divmod(number, len(names)) for number in range(count))
    return [names[order[index]] + (f" {round_ + 1}" if round_ else "") for round_, index in rounds]


def sample(rng: Rng, options: Sequence[T], count: int) -> tuple[T, ...]:
    """Draw at most `count` different options."""
    rows = rng.choice(len(options), size=min(count, len(options)), replace=False) if options else np.empty(0, dtype=int)
    return tuple(options[row] for row in rows.tolist())


def popularity(rng: Rng, count: int, exponent: float) -> Floats:
    """Draw (count,) logs of Zipf weights: the r-th most popular item has weight r ** -exponent."""
    return np.asarray(-exponent * np.log(rng.permutation(count) + 1.0))


def interaction_targets(rng: Rng, users: int, total: float, shares: Iterable[float], *, most: int, spread: bool) -> list[int]:
    """Draw how many counted interactions each person has: 0, 1-4, 5-19, or 20 and more with a heavy tail.

    `shares` are of the first three groups. The last group's counts are at most `most` and add up to what is left of
    `total`; with `spread`, what `most` cuts off is shared equally among the group.
    """
    none, few, some = (round(share * users) for share in shares)
    busy = users - none - few - some
    tail = rng.pareto(1.6, size=busy) + 0.35
    left = max(0.0, total - few * 2.5 - some * 12 - busy * 20)
    extra = np.minimum(tail * left / tail.sum(), most - 20)
    if spread and left > extra.sum():
        extra += (left - extra.sum()) / busy
    groups = [np.zeros(none), rng.integers(1, 5, size=few), rng.integers(5, 20, size=some), 20 + np.floor(extra)]
    return [int(count) for count in rng.permutation(np.concatenate(groups))]


def assign_demo_counts(rows: Sequence[int], targets: list[int], counts: Sequence[int]) -> list[int]:
    """Give the first of these people exactly `counts` by swapping targets with others; return who they are."""
    others = rows[len(counts) :]
    for row, wanted in zip(rows, counts, strict=False):
        other = next((candidate for candidate in others if targets[candidate] == wanted), row)
        targets[other], targets[row] = targets[row], wanted
    return list(rows[: len(counts)])


def apportioned(rng: Rng, shares: Sequence[float], n: int) -> Ints:
    """Return (n,) indices into `shares` in random order, each as often as its share, to the nearest whole number."""
    wanted = np.asarray(shares, dtype=np.float64) / np.sum(shares) * n
    counts = np.floor(wanted).astype(np.int64)
    counts[np.argsort(counts - wanted, kind="stable")[: n - counts.sum()]] += 1
    return np.asarray(rng.permutation(np.repeat(np.arange(len(shares)), counts)))


def drawn(rng: Rng, weights: Sequence[float] | Floats, n: int) -> Ints:
    """Draw (n,) indices with these weights, independently."""
    steps = np.cumsum(np.asarray(weights, dtype=np.float64))
    return np.asarray(np.searchsorted(steps, rng.random(n) * steps[-1], side="right"))


def drawn_without_replacement(rng: Rng, weights: Floats, n: int) -> Ints:
    """Draw at most `n` different indices with these weights; never one of weight 0.

    The largest of log weight plus Gumbel noise: Vieira (2014), "Gumbel-max trick and weighted reservoir sampling".
    """
    with np.errstate(divide="ignore"):
        keys = np.log(weights) + rng.gumbel(size=weights.size)
    best = np.argsort(-keys, kind="stable")[:n]
    return best[weights[best] > 0]


def between(rng: Rng, lows: Floats, highs: Floats) -> Floats:
    """Draw a uniform number within each pair of bounds."""
    return lows + rng.random(np.shape(lows)) * (highs - lows)
