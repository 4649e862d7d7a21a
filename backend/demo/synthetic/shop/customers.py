"""Invents the shop's customers: a persona each, a budget, perhaps a second interest, and what they told at sign-up."""

from dataclasses import dataclass
from uuid import UUID

import numpy as np

from demo.synthetic.shop.products import NAMES, Assortment, Chance, Floats, stable_id
from demo.synthetic.shop.vocabulary import FIRST_NAMES, LAST_NAMES, PERSONAS, SHELVES, Persona
from sites.shop.models import Customer, price_in_words

TOLD_SHARE = 0.75  # the others said nothing at sign-up
SECOND_SHARE = 0.35
PULL = {"first": 4.2, "other": 3.2, "second": 2.2, "dearness": 2.4, "popularity": 1.0}


@dataclass(frozen=True, slots=True)
class Taste:
    """What one customer looks for. `budget` is the dearness they like, 0 to 1 within a shelf."""

    persona: Persona
    second: Persona | None
    budget: float


def make_shoppers(rng: Chance, *, seed: int, users: int) -> list[tuple[Customer, Taste]]:
    """`users` customers with their tastes; the personas take turns, so that each has as many people as the next."""
    names = [f"{first} {last}" for first in FIRST_NAMES for last in LAST_NAMES]
    order = rng.permutation(len(names))
    made = []
    for number in range(users):
        round_, place = divmod(number, len(names))
        name = names[int(order[place])] + (f" {round_ + 1}" if round_ else "")
        taste = _taste(rng, PERSONAS[number % len(PERSONAS)])
        told = bool(rng.random() < TOLD_SHARE)
        made.append((_customer(stable_id(seed, "customer", number), number, name, taste, told=told), taste))
    return made


def pull_of(assortment: Assortment, taste: Taste) -> Floats:
    """(n,) how strongly each product draws this customer, in logs."""
    by_shelf = np.zeros(len(NAMES))
    if taste.second is not None:
        by_shelf[[NAMES.index(name) for name in taste.second.shelves]] = PULL["second"]
    for place, name in enumerate(taste.persona.shelves):
        by_shelf[NAMES.index(name)] = PULL["other"] if place else PULL["first"]
    off = np.abs(assortment.dearness - taste.budget)
    return np.asarray(by_shelf[assortment.shelf] - PULL["dearness"] * off + PULL["popularity"] * assortment.draw)


def _taste(rng: Chance, persona: Persona) -> Taste:
    second = None
    if rng.random() < SECOND_SHARE:
        others = [other for other in PERSONAS if other is not persona]
        second = others[int(rng.integers(len(others)))]
    return Taste(persona, second, float(rng.beta(2, 2)))


def _customer(identity: UUID, number: int, name: str, taste: Taste, *, told: bool) -> Customer:
    shelves = list(taste.persona.shelves[:2]) + ([taste.second.shelves[0]] if taste.second else [])
    first, _, last = name.lower().partition(" ")
    also = f", also {taste.second.line}" if taste.second else ""
    low, high = SHELVES[taste.persona.shelves[0]].prices
    usual = price_in_words(low * (high / low) ** taste.budget)
    return Customer(
        id=identity, name=name, email=f"{first}.{last.replace(' ', '-')}.{number}@example.org",
        taste=f"{taste.persona.line}{also}", favourite_categories=shelves if told else [],
        price_range=usual if told else "",
    )  # fmt: skip
