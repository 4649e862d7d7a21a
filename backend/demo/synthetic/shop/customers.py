"""Synthetic customers: each has a persona, a budget, perhaps a second persona, and perhaps stated preferences."""

from dataclasses import dataclass

import numpy as np

from demo.synthetic.shop.products import CATEGORIES, SITE, VOCABULARY, Persona, ProductRange
from demo.synthetic.simulation import Floats, Rng, full_names, stable_id
from sites.shop.models import Customer, price_range_of

STATED_SHARE = 0.75  # of the customers entered preferences when they signed up
SECOND_SHARE = 0.35
WEIGHTS = {"first": 4.2, "other": 3.2, "second": 2.2, "price": 2.4}


@dataclass(frozen=True, slots=True)
class Preferences:
    """What one customer looks for. `budget` is the price level they like, 0 to 1 within a category."""

    persona: Persona
    second: Persona | None
    budget: float


def make_customers(rng: Rng, *, seed: int, users: int) -> list[tuple[Customer, Preferences]]:
    """Make `users` customers with their preferences; every persona has the same number of customers."""
    customers = []
    for number, name in enumerate(full_names(rng, VOCABULARY.first_names, VOCABULARY.last_names, users)):
        preferences = _preferences(rng, VOCABULARY.personas[number % len(VOCABULARY.personas)])
        stated = bool(rng.random() < STATED_SHARE)
        customer = _customer(number, name, preferences, stated=stated)
        customer.id = stable_id(SITE, seed, "customer", number)
        customers.append((customer, preferences))
    return customers


def interest_of(products: ProductRange, preferences: Preferences) -> Floats:
    """Return (n,) how much each product interests this customer, in logs."""
    by_category = np.zeros(len(CATEGORIES))
    if preferences.second is not None:
        by_category[[CATEGORIES.index(name) for name in preferences.second.categories]] = WEIGHTS["second"]
    for rank, name in enumerate(preferences.persona.categories):
        by_category[CATEGORIES.index(name)] = WEIGHTS["other"] if rank else WEIGHTS["first"]
    difference = np.abs(products.price_level - preferences.budget)
    return np.asarray(by_category[products.category] - WEIGHTS["price"] * difference + products.popularity)


def _preferences(rng: Rng, persona: Persona) -> Preferences:
    second = None
    if rng.random() < SECOND_SHARE:
        others = [other for other in VOCABULARY.personas if other is not persona]
        second = others[int(rng.integers(len(others)))]
    return Preferences(persona, second, float(rng.beta(2, 2)))


def _customer(number: int, name: str, preferences: Preferences, *, stated: bool) -> Customer:
    persona, second = preferences.persona, preferences.second
    categories = list(persona.categories[:2]) + ([second.categories[0]] if second else [])
    first, _, last = name.lower().partition(" ")
    usual_price = VOCABULARY.categories[persona.categories[0]].price(preferences.budget)
    return Customer(
        name=name, email=f"{first}.{last.replace(' ', '-')}.{number}@example.org",
        taste=f"{persona.description}, also {second.description}" if second else persona.description,
        favourite_categories=categories if stated else [], price_range=price_range_of(usual_price) if stated else "",
    )  # fmt: skip
