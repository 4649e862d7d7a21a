"""Checks of an export before anything is trained on it: what blocks training, what looks wrong, and what is missing."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import AnyArray
from recommendation_service.datasets.reader import Dataset, Events
from recommendation_service.datasets.weighting import DAY_S
from recommendation_service.domain.history import UNKNOWN_TIME
from recommendation_service.use_cases.schema import UseCase

DOMINANT_SHARE = 0.5  # of the positive events on one item, or by one user
FEW_EVENTS = 100
TEXT_KINDS = frozenset({"content", "embedding"})  # kinds of models that learn from items alone
LEAST_LEARNERS = 10  # of fewer users, the history of a single one decides what everyone is shown

LEAST_DAYS = 60.0  # of a shorter history, a split by time leaves test parts of a few days
REGULAR, LEAST_REGULARS = 5, 100  # interactions of a user whom collaborative methods know, and how many such users
LEAST_SHARE = 0.5  # of items with a text, and of users with a profile
STALE_DAYS = 7.0
LEAST_DECIDED = 100  # pairs with an outcome
ENDPOINT = "POST /api/v1/interactions"


@dataclass(frozen=True, slots=True)
class Counts:
    """The size of an export in the terms models care about."""

    users: int
    items: int
    events: int
    positive: int
    active_users: int  # with a positive event
    active_items: int
    days: float  # between the oldest and the newest event
    learners: int  # users with two liked items or more


@dataclass(frozen=True, slots=True)
class Checked:
    """`blocking`: reasons why nothing can be learned; `warnings`: what to look at."""

    counts: Counts
    blocking: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Missing data and the fix: a field of the site's ItemSource, an endpoint or a command."""

    missing: str
    fix: str

    def summary(self) -> str:
        """One line."""
        return f"{self.missing}: {self.fix}"


def check(dataset: Dataset, events: Events, *, now: float) -> Checked:
    """Check the size and the balance of one export; `now` is in epoch seconds, later events are warned about."""
    liked = events.weights > 0
    counts = Counts(
        users=len(dataset.user_ids),
        items=int(dataset.array("item_ids").size),
        events=events.times.size,
        positive=int(liked.sum()),
        active_users=np.unique(events.users[liked]).size,
        active_items=np.unique(events.items[liked]).size,
        days=_days(events.times),
        learners=learners(dataset),
    )
    blocking = () if counts.items and counts.positive else ("there are no positive interactions",)
    return Checked(counts, blocking if counts.items else ("there are no items",), tuple(_warnings(counts, events, now)))


def learners(dataset: Dataset) -> int:
    """Number of users with two liked items or more: only they show which items go together."""
    liked = dataset.interactions() > 0
    return int((np.diff(liked.indptr) >= 2).sum())


def shortage(people: int) -> str:
    """Say why this many learners are too few; empty if they are enough."""
    if people >= LEAST_LEARNERS:
        return ""
    subject = f"{people or 'no'} {'person' if people == 1 else 'people'} liked two items or more"
    return f"{subject}; {LEAST_LEARNERS} are needed to learn from what people do"


def _warnings(counts: Counts, events: Events, now: float) -> Iterator[str]:
    liked = events.weights > 0
    short = shortage(counts.learners)
    if short and counts.positive:
        yield f"not enough data: {short}; until then items' own words and what is popular make the lists"
    elif 0 < counts.positive < FEW_EVENTS:
        yield f"only {counts.positive} positive interactions: expect little from any model"
    for side, rows in (("item", events.items[liked]), ("person", events.users[liked])):
        share = np.bincount(rows).max() / rows.size if rows.size else 0.0
        if share > DOMINANT_SHARE and counts.positive >= FEW_EVENTS:
            yield f"one {side} has {share:.0%} of the positive interactions"
    future = int((events.times > now + DAY_S).sum())
    if future:
        yield f"{future:,} interactions are dated more than a day in the future; they count as today's"
    if not np.isfinite(events.weights).all():
        yield "some weights are not finite"
    if counts.positive and counts.positive == counts.active_users:
        yield "nobody has a second positive interaction: collaborative models have nothing to compare"


def gaps_of(dataset: Dataset, events: Events, use_case: UseCase, *, now: float) -> list[Gap]:
    """List the missing data, most important first; `now` is in epoch seconds.

    Models of pairs do not learn from the history of single users, so a use case with pairs has other gaps.
    """
    if use_case.pairs is not None:
        return [*_pair_gaps(dataset, use_case), *_time_gaps(events, now), *_impression_gaps(dataset)]
    return [
        *_user_gaps(dataset, events),
        *_time_gaps(events, now),
        *_event_gaps(events, use_case, dataset),
        *_impression_gaps(dataset),
        *_item_gaps(dataset),
        *_profile_gaps(dataset),
    ]


def _user_gaps(dataset: Dataset, events: Events) -> Iterator[Gap]:
    counts = np.bincount(events.users[events.weights > 0], minlength=len(dataset.user_ids))
    regulars = int((counts >= REGULAR).sum())
    if regulars < LEAST_REGULARS:
        yield Gap(
            f"only {regulars:,} of {int((counts > 0).sum()):,} active people have {REGULAR} or more interactions",
            f"mirror more of what they do (ItemSource.events, or {ENDPOINT}); manage.py import_interactions brings the past in",
        )


def _time_gaps(events: Events, now: float) -> Iterator[Gap]:
    if not events.times.size:
        return
    unknown = int(np.count_nonzero(events.times == UNKNOWN_TIME))
    if unknown:
        fix = "declare the column of the time (Event(time=...)), or import it (--map time=column)"
        yield Gap(f"the time of {unknown:,} of {events.times.size:,} interactions is unknown", fix)
    if unknown == events.times.size:
        return
    days, age = _days(events.times), (now - float(events.times[-1])) / DAY_S
    if days < LEAST_DAYS:
        fix = f"bring the past in (manage.py import_interactions), or measure again after {LEAST_DAYS:.0f} days"
        yield Gap(f"only {days:.0f} days of history", fix)
    if age > STALE_DAYS:
        fix = "see that events still arrive, then run: manage.py generate_all_datasets"
        yield Gap(f"the newest interaction is {age:.0f} days old", fix)


def _days(times: AnyArray) -> float:
    """Days from the oldest to the newest known time."""
    known = times[times != UNKNOWN_TIME]
    return float(np.ptp(known)) / DAY_S if known.size else 0.0


def _event_gaps(events: Events, use_case: UseCase, dataset: Dataset) -> Iterator[Gap]:
    never = sorted(set(use_case.events) - set(events.names))
    if not (events.weights < 0).any():
        negative_events = [name for name, rule in use_case.events.items() if rule.weight < 0 or rule.neutral is not None]
        fix = f"record {' or '.join(negative_events)}"
        if not negative_events:
            fix = f"give an event a weight below 0 in {use_case.name}.toml"
        yield Gap("nothing says what people do not want", f"{fix} (ItemSource.events, or {ENDPOINT})")
        never = [name for name in never if name not in negative_events]
    if never and len(use_case.catalogues) == 1:  # with several catalogues, each has its own events
        fix = f"name their tables in ItemSource.events, send them to {ENDPOINT}, or take them out of the file"
        yield Gap(f"{', '.join(never)} never happened", fix)
    unknown = int(dataset.summary.get("left_out", {}).get("unknown_events", 0))
    if unknown:
        yield Gap(f"{unknown:,} events have names the file does not weigh", f"add them to [events] in {use_case.name}.toml")


def _impression_gaps(dataset: Dataset) -> Iterator[Gap]:
    shown = dataset.shown()
    if shown is None or not len(shown):
        fix = "ask for lists through Django (GET /api/recommendations/..., or the page), which keeps what it showed"
        yield Gap("no list that was shown is recorded, so no ranker and no bandit can learn", fix)
    elif not shown.answered().any():
        fix = f"send the list's request_id with the event ({ENDPOINT}), or keep it in a field request_id of the event's table"
        yield Gap(f"none of {len(shown):,} shown lists was answered: no event carries a request_id", fix)


def _item_gaps(dataset: Dataset) -> Iterator[Gap]:
    records = list(dataset.records())
    for column, present, field, effect in (
        ("text", [bool(record.text.strip()) for record in records], "text", "content and text vectors know nothing of them"),
        ("category", [record.category is not None for record in records], "category", "lists cannot be varied or capped by it"),
        ("tags", [bool(record.tags) for record in records], "tags", "content has only their words"),
        ("time of creation", [record.created_at is not None for record in records], "created", "new items cannot be helped"),
    ):
        if present and np.mean(present) < LEAST_SHARE:
            yield Gap(f"{1 - np.mean(present):.0%} of the items have no {column}, so {effect}", f"set ItemSource.{field}")


def _profile_gaps(dataset: Dataset) -> Iterator[Gap]:
    present = [any(profile.values()) for profile in dataset.profiles()]
    if present and np.mean(present) < LEAST_SHARE:
        missing = f"{1 - np.mean(present):.0%} of the people have no profile, so nothing suits a newcomer but what is popular"
        yield Gap(missing, "set ItemSource.profiles and ItemSource.profile_fields")


def _pair_gaps(dataset: Dataset, use_case: UseCase) -> Iterator[Gap]:
    """The gaps of matches are reported once, for the catalogue whose export has them."""
    if use_case.pairs is not None and dataset.summary["catalogue"] == use_case.pairs.right:
        matches = dataset.matches()
        decided = 0 if matches is None else int(np.count_nonzero(matches.chosen))
        if decided < LEAST_DECIDED:
            fix = "give them in ItemSource.matches, and wait for more of them"
            yield Gap(f"only {decided:,} pairs came to an agreement", fix)
    if dataset.catalogue().side is None:
        fix = "set ItemSource.numbers and ItemSource.text_columns"
        yield Gap("nothing is known of these items that a pair could be scored by", fix)
