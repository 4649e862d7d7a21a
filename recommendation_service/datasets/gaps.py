"""What an export lacks that methods could use, each with the place where a site adds it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from recommendation_service.core.numeric import AnyArray
from recommendation_service.datasets.reader import Dataset, Events
from recommendation_service.datasets.weighting import DAY_S
from recommendation_service.use_cases.schema import UseCase

LEAST_DAYS = 60.0  # shorter, and a cut by time leaves test parts of a few days
REGULAR, LEAST_REGULARS = 5, 100  # interactions of somebody whom collaborative methods know, and how many such people
LEAST_SHARE = 0.5  # of items with a text, and of people with a profile
STALE_DAYS = 7.0
LEAST_DECIDED = 100  # pairs with an outcome
ENDPOINT = "POST /api/v1/interactions"


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing, and what to do about it: a field of the site's ItemSource, an endpoint or a command."""

    missing: str
    fix: str

    def summary(self) -> str:
        """One line."""
        return f"{self.missing}: {self.fix}"


def gaps_of(dataset: Dataset, events: Events, use_case: UseCase, *, now: float) -> list[Gap]:
    """All that is missing, what matters most first. `now` is epoch seconds.

    Where pairs are scored, nothing is learned from what single people did, so other things are looked for.
    """
    of_persons: list[Callable[[], Sequence[Gap]]] = [
        lambda: _people(dataset, events),
        lambda: _time(events, now),
        lambda: _kinds(events, use_case, dataset),
        lambda: _shown(dataset),
        lambda: _items(dataset),
        lambda: _profiles(dataset),
    ]
    of_pairs: list[Callable[[], Sequence[Gap]]] = [
        lambda: _matches(dataset, use_case),
        lambda: _sides(dataset),
        lambda: _time(events, now),
        lambda: _shown(dataset),
    ]
    looks = of_persons if use_case.pairs is None else of_pairs
    return list(chain.from_iterable(look() for look in looks))


def _people(dataset: Dataset, events: Events) -> list[Gap]:
    counts = _positive(events, len(dataset.user_ids))
    regulars = int((counts >= REGULAR).sum())
    if regulars >= LEAST_REGULARS:
        return []
    return [
        Gap(
            f"only {regulars:,} of {int((counts > 0).sum()):,} active people have {REGULAR} or more interactions",
            f"mirror more of what they do (ItemSource.events, or {ENDPOINT}); manage.py import_interactions brings the past in",
        )
    ]


def _time(events: Events, now: float) -> list[Gap]:
    if not events.times.size:
        return []
    days, age = float(np.ptp(events.times)) / DAY_S, (now - float(events.times[-1])) / DAY_S
    gaps = []
    if days < LEAST_DAYS:
        gaps.append(
            Gap(
                f"only {days:.0f} days of history",
                f"bring the past in (manage.py import_interactions), or measure again after {LEAST_DAYS:.0f} days",
            )
        )
    if age > STALE_DAYS:
        summary = f"the newest interaction is {age:.0f} days old"
        gaps.append(Gap(summary, "see that events still arrive, then run: manage.py generate_all_datasets"))
    return gaps


def _kinds(events: Events, use_case: UseCase, dataset: Dataset) -> list[Gap]:
    gaps, never = [], sorted(set(use_case.events) - set(events.names))
    if not (events.weights < 0).any():
        negative_events = [name for name, rule in use_case.events.items() if rule.weight < 0 or rule.neutral is not None]
        fix = (
            f"record {' or '.join(negative_events)}"
            if negative_events
            else f"give an event a weight below 0 in {use_case.name}.toml"
        )
        gaps.append(Gap("nothing says what people do not want", f"{fix} (ItemSource.events, or {ENDPOINT})"))
        never = [name for name in never if name not in negative_events]
    if never and len(use_case.catalogues) == 1:  # where there are more, each has events of its own
        summary = f"{', '.join(never)} never happened"
        gaps.append(
            Gap(summary, f"name their tables in ItemSource.events, send them to {ENDPOINT}, or take them out of the file")
        )
    unknown = int(dataset.summary.get("left_out", {}).get("unknown_events", 0))
    if unknown:
        gaps.append(
            Gap(f"{unknown:,} events have names the file does not weigh", f"add them to [events] in {use_case.name}.toml")
        )
    return gaps


def _shown(dataset: Dataset) -> list[Gap]:
    shown = dataset.shown()
    if shown is None or not len(shown):
        fix = "ask for lists through Django (GET /api/recommendations/..., or the page), which keeps what it showed"
        return [Gap("no list that was shown is recorded, so no ranker and no bandit can learn", fix)]
    if not shown.answered().any():
        fix = f"send the list's request_id with the event ({ENDPOINT}), or keep it in a field request_id of the event's table"
        return [Gap(f"none of {len(shown):,} shown lists was answered: no event carries a request_id", fix)]
    return []


def _items(dataset: Dataset) -> list[Gap]:
    records = list(dataset.records())
    looks = (
        ("text", [bool(record.text.strip()) for record in records], "text", "content and text vectors know nothing of them"),
        ("category", [record.category is not None for record in records], "category", "lists cannot be varied or capped by it"),
        ("tags", [bool(record.tags) for record in records], "tags", "content has only their words"),
        ("time of creation", [record.created_at is not None for record in records], "created", "new items cannot be helped"),
    )
    return [
        Gap(f"{1 - np.mean(present):.0%} of the items have no {what}, so {why}", f"set ItemSource.{field}")
        for what, present, field, why in looks
        if present and np.mean(present) < LEAST_SHARE
    ]


def _profiles(dataset: Dataset) -> list[Gap]:
    present = [any(profile.values()) for profile in dataset.profiles()]
    if not present or np.mean(present) >= LEAST_SHARE:
        return []
    summary = f"{1 - np.mean(present):.0%} of the people have no profile, so nothing suits a newcomer but what is popular"
    return [Gap(summary, "set ItemSource.profiles and ItemSource.profile_fields")]


def _sides(dataset: Dataset) -> list[Gap]:
    if dataset.catalogue().side is not None:
        return []
    return [
        Gap(
            "nothing is known of these items that a pair could be scored by",
            "set ItemSource.numbers and ItemSource.text_columns",
        )
    ]


def _matches(dataset: Dataset, use_case: UseCase) -> list[Gap]:
    """Told of one of the two catalogues, in whose export they are."""
    if use_case.pairs is None or dataset.summary["catalogue"] != use_case.pairs.right:
        return []
    matches = dataset.matches()
    decided = 0 if matches is None else int(np.count_nonzero(matches.chosen))
    if decided >= LEAST_DECIDED:
        return []
    return [Gap(f"only {decided:,} pairs came to an agreement", "give them in ItemSource.matches, and wait for more of them")]


def _positive(events: Events, n_users: int) -> AnyArray:
    return np.bincount(events.users[events.weights > 0], minlength=n_users)
