"""A small magazine for tests: posts of categories that age, readers of one or two categories, a few posts that all read."""

import numpy as np

from recommendation_service.datasets.records import ItemRecord
from recommendation_service.datasets.weighting import DAY_S
from recommendation_service.tests.support.exports import NOW, Happening

SUBJECTS = ("python", "cooking", "travel", "fitness")
Profiles = dict[str, dict[str, tuple[str, ...]]]


def magazine(
    *, people: int = 60, posts: int = 120, events_each: int = 14, newcomers: int = 6, days: int = 100, seed: int = 0
) -> tuple[list[ItemRecord], list[Happening], Profiles]:
    """Post p is of subject p % 4; person u reads subject u % 4 and, a little, the next. Nobody has read the last 4 posts.

    The last `newcomers` people have done nothing; every second of them says what interests them.
    """
    rng = np.random.default_rng(seed)
    age_days = rng.permutation(posts) * days / posts
    records = [_post(row, NOW - age_days[row] * DAY_S) for row in range(posts)]
    happenings = [one for person in range(people) for one in _read(rng, person, age_days, events_each, days)]
    profiles: Profiles = {f"u{person:03d}": {"interests": (SUBJECTS[person % 4],)} for person in range(people)}
    for place in range(newcomers):
        profiles[f"n{place:03d}"] = {"interests": (SUBJECTS[place % 4],)} if place % 2 else {}
    return records, happenings, profiles


def _post(row: int, created_at: float) -> ItemRecord:
    subject, angle = SUBJECTS[row % 4], row // 4 % 5
    tags = (f"{subject}-{angle}", f"{subject}-{(angle + 1) % 5}")
    return ItemRecord(f"p{row:03d}", f"{subject} {row}", f"notes on {subject} angle{angle}", subject, tags, created_at)


def _read(rng: np.random.Generator, person: int, age_days: np.ndarray, events_each: int, days: int) -> list[Happening]:
    subject = np.arange(age_days.size) % 4
    pull = np.where(subject == person % 4, 1.0, np.where(subject == (person + 1) % 4, 0.25, 0.01))
    pull = pull * np.where(np.arange(age_days.size) % 20 < 4, 3.0, 1.0)  # one post in five is read by more people
    pull[-4:] = 0
    found = []
    for row in rng.choice(age_days.size, size=events_each, replace=False, p=pull / pull.sum()).tolist():
        when = NOW - rng.uniform(0, age_days[row]) * DAY_S
        event = "like" if rng.random() < 0.4 else "view"
        found.append(Happening(f"u{person:03d}", f"p{row:03d}", event, when))
    return found
