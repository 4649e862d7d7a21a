"""Who likes what on the synthetic board: attributes, readable tastes, and how much each startup suits each person."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from demo.synthetic.startups.vocabulary import AUDIENCES, ENDINGS, FIRST_NAMES, LAST_NAMES, SECTORS
from sites.startups.models import Developer, Investor, Stage, Startup, Ticket

Floats = NDArray[np.float64]
Chance = np.random.Generator

DEVELOPERS_SHARE = 0.7
PRIVATE_SHARE = 0.02
DRIFTING_SHARE = 0.25
POPULARITY_EXPONENT = 1.1  # Zipf: the r-th most attractive startup draws r ** -1.1 as strongly as the first
PULL = {"sector": 3.4, "skills": 2.4, "stage": 1.3, "ticket": 1.3, "audience": 1.0, "popularity": 1.0}
AGES_DAYS = (2, 1_000)
NAMES = tuple(SECTORS)


@dataclass(frozen=True, slots=True)
class Taste:
    """What one person looks for. `before` are the sectors they liked until `turns` (a share of the window), if any."""

    sectors: tuple[str, ...]
    skills: tuple[str, ...] = ()
    stage: str = ""
    ticket: str = ""
    audience: str = ""
    before: tuple[str, ...] = ()
    turns: float = 0.0


@dataclass(frozen=True, slots=True)
class Board:
    """The startups, and each one's hidden draw: log of its Zipf weight, (n_items,)."""

    startups: tuple[Startup, ...]
    audiences: tuple[str, ...]
    draw: Floats


def stable_id(seed: int, kind: str, number: int) -> UUID:
    """The same id for the same seed, whatever the day or the machine."""
    return uuid5(NAMESPACE_URL, f"tandem/startups/{seed}/{kind}/{number}")


def make_board(rng: Chance, *, seed: int, items: int, until: datetime) -> Board:
    """`items` startups with readable names and pitches; two in a hundred are private."""
    startups, audiences = [], []
    names = _startup_names(rng)
    for number in range(items):
        sector = NAMES[int(rng.integers(len(NAMES)))]
        audience = str(rng.choice(AUDIENCES))
        startups.append(_startup(rng, stable_id(seed, "startup", number), sector, names, audience, until))
        audiences.append(audience)
    ranks = rng.permutation(items) + 1.0
    return Board(tuple(startups), tuple(audiences), -POPULARITY_EXPONENT * np.log(ranks))


def _startup_names(rng: Chance) -> dict[str, list[str]]:
    pairs = {name: [root + ending for root in sector.roots for ending in ENDINGS] for name, sector in SECTORS.items()}
    return {name: [str(word) for word in rng.permutation(words)] for name, words in pairs.items()}


def _startup(rng: Chance, identity: UUID, sector: str, names: dict[str, list[str]], audience: str, until: datetime) -> Startup:
    words = SECTORS[sector]
    skills = _some(rng, words.skills, int(rng.integers(2, 5)))
    names[sector].append(f"{names[sector][0]} {len(names[sector])}")  # a name for when the fresh ones run out
    name = names[sector].pop(0)
    stage = str(rng.choice(Stage.values, p=(0.15, 0.3, 0.3, 0.17, 0.08)))
    nearest = min(Stage.values.index(stage), len(Ticket.values) - 1)
    ticket = Ticket.values[int(np.clip(nearest + rng.integers(-1, 2), 0, len(Ticket.values) - 1))]
    does = rng.choice(words.does)
    pitch = f"{name} {does}, made for {audience}. In {sector}, at the {stage} stage, working with {_listed(skills)}."
    founded = until - timedelta(days=int(rng.integers(*AGES_DAYS)))
    public = bool(rng.random() >= PRIVATE_SHARE)
    return Startup(
        id=identity, name=name, pitch=pitch, sector=sector, stage=stage, skills=list(skills), ticket=ticket,
        founded_at=founded.date(), is_public=public,
    )  # fmt: skip


def make_people(rng: Chance, *, seed: int, users: int) -> list[tuple[Developer | Investor, Taste]]:
    """`users` people with their tastes: seven developers for every three investors, mixed."""
    names = [f"{first} {last}" for first in FIRST_NAMES for last in LAST_NAMES]
    order = rng.permutation(len(names))
    people: list[tuple[Developer | Investor, Taste]] = []
    for number in range(users):
        round_, place = divmod(number, len(names))
        name = names[int(order[place])] + (f" {round_ + 1}" if round_ else "")
        identity = stable_id(seed, "person", number)
        people.append(_developer(rng, identity, name) if rng.random() < DEVELOPERS_SHARE else _investor(rng, identity, name))
    return people


def _developer(rng: Chance, identity: UUID, name: str) -> tuple[Developer, Taste]:
    sectors, before, turns = _sectors(rng)
    likely = [skill for sector in sectors for skill in SECTORS[sector].skills]
    skills = _some(rng, tuple(dict.fromkeys(likely)), int(rng.integers(2, 5)))
    taste = Taste(sectors, skills=skills, audience=str(rng.choice(AUDIENCES)), before=before, turns=turns)
    return Developer(id=identity, name=name, sectors=list(sectors), skills=list(skills)), taste


def _investor(rng: Chance, identity: UUID, name: str) -> tuple[Investor, Taste]:
    sectors, before, turns = _sectors(rng)
    stage, ticket = str(rng.choice(Stage.values)), str(rng.choice(Ticket.values))
    taste = Taste(sectors, stage=stage, ticket=ticket, audience=str(rng.choice(AUDIENCES)), before=before, turns=turns)
    return Investor(id=identity, name=name, sectors=list(sectors), stage=stage, ticket=ticket), taste


def _sectors(rng: Chance) -> tuple[tuple[str, ...], tuple[str, ...], float]:
    """One or two favourites; for some people others before them, and when they turned."""
    now = _some(rng, NAMES, int(rng.integers(1, 3)))
    if rng.random() >= DRIFTING_SHARE:
        return now, (), 0.0
    others = tuple(name for name in NAMES if name not in now)
    return now, (*now[1:], *_some(rng, others, 1)), float(rng.uniform(0.3, 0.7))


def suits(board: Board, taste: Taste, *, share: float) -> Floats:
    """(n_items,) how strongly each startup draws this person when `share` of the window has passed."""
    liked = set(taste.before if taste.before and share < taste.turns else taste.sectors)
    skills = set(taste.skills)
    return np.array([_match(startup, liked, skills, taste) for startup in board.startups]) + PULL["audience"] * np.array(
        [audience == taste.audience for audience in board.audiences]
    )


def _match(startup: Startup, liked: set[str], skills: set[str], taste: Taste) -> float:
    shared = len(skills.intersection(startup.skills)) / max(1, min(len(skills), len(startup.skills)))
    return (
        PULL["sector"] * (startup.sector in liked)
        + PULL["skills"] * shared
        + PULL["stage"] * (startup.stage == taste.stage)
        + PULL["ticket"] * (startup.ticket == taste.ticket)
    )


def _some(rng: Chance, words: tuple[str, ...], count: int) -> tuple[str, ...]:
    chosen: Any = rng.choice(len(words), size=min(count, len(words)), replace=False)
    return tuple(words[int(place)] for place in chosen)


def _listed(words: tuple[str, ...]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
