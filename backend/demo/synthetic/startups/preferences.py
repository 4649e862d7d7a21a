"""Synthetic startups and people: attributes, readable preferences, and how much each startup interests each person."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from demo.synthetic.simulation import Floats, Rng, full_names, popularity, sample, stable_id
from demo.synthetic.vocabulary import Vocabulary, read_vocabulary
from sites.startups.models import Developer, Investor, Stage, Startup, Ticket

SITE = "startups"
DEVELOPERS_SHARE = 0.7
PRIVATE_SHARE = 0.02
DRIFTING_SHARE = 0.25  # people whose favourite sectors change within the window
POPULARITY_EXPONENT = 1.1
STAGE_SHARES = (0.15, 0.3, 0.3, 0.17, 0.08)
WEIGHTS = {"sector": 3.4, "skills": 2.4, "stage": 1.3, "ticket": 1.3, "audience": 1.0}
AGES_DAYS = (2, 1_000)


class Sector(Vocabulary):
    """Words of one sector; `name_roots` are first halves of startup names."""

    name_roots: tuple[str, ...]
    activities: tuple[str, ...]
    skills: tuple[str, ...]


class StartupVocabulary(Vocabulary):
    """Word lists of the board."""

    name_endings: tuple[str, ...]
    audiences: tuple[str, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    sectors: dict[str, Sector]


VOCABULARY = read_vocabulary(SITE, StartupVocabulary)
SECTORS = tuple(VOCABULARY.sectors)


@dataclass(frozen=True, slots=True)
class Preferences:
    """What one person looks for. `earlier_sectors`, if any, hold until `change_at`, a share of the window."""

    sectors: tuple[str, ...]
    earlier_sectors: tuple[str, ...]
    change_at: float
    skills: tuple[str, ...] = ()
    stage: str = ""
    ticket: str = ""
    audience: str = ""


@dataclass(frozen=True, slots=True)
class Board:
    """The startups; by startup: its audience and its hidden popularity, (n_items,)."""

    startups: tuple[Startup, ...]
    audiences: tuple[str, ...]
    popularity: Floats


Person = Developer | Investor


def make_board(rng: Rng, *, seed: int, items: int, until: datetime) -> Board:
    """Make `items` startups with readable names and pitches; a few are private."""
    startups, audiences = [], []
    names: dict[str, list[str]] = {}
    for name, sector in VOCABULARY.sectors.items():
        options = [root + ending for root in sector.name_roots for ending in VOCABULARY.name_endings]
        names[name] = rng.permutation(options).tolist()
    for number in range(items):
        name = SECTORS[int(rng.integers(len(SECTORS)))]
        audiences.append(str(rng.choice(VOCABULARY.audiences)))
        startups.append(_startup(rng, name, names[name], audiences[-1], until))
        startups[-1].id = stable_id(SITE, seed, "startup", number)
    return Board(tuple(startups), tuple(audiences), popularity(rng, items, POPULARITY_EXPONENT))


def _startup(rng: Rng, sector: str, names: list[str], audience: str, until: datetime) -> Startup:
    skills = sample(rng, VOCABULARY.sectors[sector].skills, int(rng.integers(2, 5)))
    names.append(f"{names[0]} {len(names)}")  # used again, with a number, when the unused names run out
    name = names.pop(0)
    stage = str(rng.choice(Stage.values, p=STAGE_SHARES))
    nearest = min(Stage.values.index(stage), len(Ticket.values) - 1)
    ticket = Ticket.values[int(np.clip(nearest + rng.integers(-1, 2), 0, len(Ticket.values) - 1))]
    activity, listed = rng.choice(VOCABULARY.sectors[sector].activities), f"{', '.join(skills[:-1])} and {skills[-1]}"
    pitch = f"{name} {activity}, made for {audience}. In {sector}, at the {stage} stage, working with {listed}."
    founded = until - timedelta(days=int(rng.integers(*AGES_DAYS)))
    public = bool(rng.random() >= PRIVATE_SHARE)
    return Startup(
        name=name, pitch=pitch, sector=sector, stage=stage, skills=list(skills), ticket=ticket,
        founded_at=founded.date(), is_public=public,
    )  # fmt: skip


def make_people(rng: Rng, *, seed: int, users: int) -> list[tuple[Person, Preferences]]:
    """Make `users` people with their preferences: seven developers for every three investors, mixed."""
    people: list[tuple[Person, Preferences]] = []
    for number, name in enumerate(full_names(rng, VOCABULARY.first_names, VOCABULARY.last_names, users)):
        person, preferences = _developer(rng, name) if rng.random() < DEVELOPERS_SHARE else _investor(rng, name)
        person.id = stable_id(SITE, seed, "person", number)
        people.append((person, preferences))
    return people


def _developer(rng: Rng, name: str) -> tuple[Person, Preferences]:
    sectors = _sectors(rng)
    likely = [skill for sector in sectors[0] for skill in VOCABULARY.sectors[sector].skills]
    skills = sample(rng, tuple(dict.fromkeys(likely)), int(rng.integers(2, 5)))
    preferences = Preferences(*sectors, skills=skills, audience=str(rng.choice(VOCABULARY.audiences)))
    return Developer(name=name, sectors=list(sectors[0]), skills=list(skills)), preferences


def _investor(rng: Rng, name: str) -> tuple[Person, Preferences]:
    sectors = _sectors(rng)
    stage, ticket = str(rng.choice(Stage.values)), str(rng.choice(Ticket.values))
    preferences = Preferences(*sectors, stage=stage, ticket=ticket, audience=str(rng.choice(VOCABULARY.audiences)))
    return Investor(name=name, sectors=list(sectors[0]), stage=stage, ticket=ticket), preferences


def _sectors(rng: Rng) -> tuple[tuple[str, ...], tuple[str, ...], float]:
    """Draw one or two favourite sectors; for some people also earlier ones, and when they changed."""
    current = sample(rng, SECTORS, int(rng.integers(1, 3)))
    if rng.random() >= DRIFTING_SHARE:
        return current, (), 0.0
    others = tuple(name for name in SECTORS if name not in current)
    return current, (*current[1:], *sample(rng, others, 1)), float(rng.uniform(0.3, 0.7))


def interest_of(board: Board, preferences: Preferences, *, share: float) -> Floats:
    """Return (n_items,) how much each startup interests this person when `share` of the window has passed."""
    early = preferences.earlier_sectors and share < preferences.change_at
    liked = set(preferences.earlier_sectors if early else preferences.sectors)
    by_startup = [_match(startup, liked, preferences) for startup in board.startups]
    same_audience = [audience == preferences.audience for audience in board.audiences]
    return np.array(by_startup) + WEIGHTS["audience"] * np.array(same_audience)


def _match(startup: Startup, liked: set[str], preferences: Preferences) -> float:
    skills = set(preferences.skills)
    shared = len(skills.intersection(startup.skills)) / max(1, min(len(skills), len(startup.skills)))
    return (
        WEIGHTS["sector"] * (startup.sector in liked)
        + WEIGHTS["skills"] * shared
        + WEIGHTS["stage"] * (startup.stage == preferences.stage)
        + WEIGHTS["ticket"] * (startup.ticket == preferences.ticket)
    )
