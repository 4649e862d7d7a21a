"""Invents the products of the shop, and which of them people buy together."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from demo.synthetic.shop.vocabulary import LINES, MAKERS, SHELVES
from sites.shop.models import Product

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Chance = np.random.Generator

NAMES = tuple(SHELVES)
POPULARITY_EXPONENT = 0.9  # Zipf: the r-th most attractive product of a shelf draws r ** -0.9 as strongly as its first
PARTNERS = 3
SOLD_OUT_SHARE = 0.05
WITHDRAWN_SHARE = 0.01
WITHOUT_PICTURE_SHARE = 0.4
NEW_SHARE = 0.08
NEW_DAYS, OLD_DAYS = 100, 1_100


@dataclass(frozen=True, slots=True)
class Assortment:
    """The products with what only the inventor knows of them; arrays are by place in `products`."""

    products: tuple[Product, ...]
    shelf: Ints  # (n,) place in NAMES
    dearness: Floats  # (n,) 0 to 1 within its shelf
    draw: Floats  # (n,) log of the Zipf weight
    born: Floats  # (n,) seconds since 1970
    partners: Ints  # (n, PARTNERS) places of the products that belong to it


def stable_id(seed: int, kind: str, number: int) -> UUID:
    """The same id for the same seed, whatever the day or the machine."""
    return uuid5(NAMESPACE_URL, f"tandem/shop/{seed}/{kind}/{number}")


def make_assortment(rng: Chance, *, seed: int, items: int, until: datetime) -> Assortment:
    """`items` products, spread over all shelves; a few are sold out, fewer are withdrawn."""
    shelf = np.sort(np.arange(items) % len(NAMES))
    dearness = rng.random(items)
    titles = _titles(rng, shelf)
    products = tuple(
        _product(rng, stable_id(seed, "product", at), at, NAMES[shelf[at]], titles[at], float(dearness[at]), until)
        for at in range(items)
    )
    born = np.array([product.created_at.timestamp() for product in products])
    draw = _draw(rng, shelf)
    return Assortment(products, shelf, dearness, draw, born, _partners(rng, shelf, dearness, draw))


def _draw(rng: Chance, shelf: Ints) -> Floats:
    """(n,) log of each product's Zipf weight among those of its shelf."""
    draw = np.empty(shelf.size)
    for place in range(len(NAMES)):
        own = np.flatnonzero(shelf == place)
        draw[own] = -POPULARITY_EXPONENT * np.log(rng.permutation(own.size) + 1.0)
    return draw


def _titles(rng: Chance, shelf: Ints) -> list[tuple[str, str, str]]:
    """Maker, line and kind of each product; a shelf names none of its products twice while it can."""
    titles: list[tuple[str, str, str]] = []
    for place, name in enumerate(NAMES):
        every = [(maker, line, kind) for maker in MAKERS for line in LINES for kind in SHELVES[name].kinds]
        wanted = int(np.count_nonzero(shelf == place))
        order = rng.permutation(len(every))
        titles += [every[order[at % len(every)]] for at in range(wanted)]
    return titles


def _product(
    rng: Chance, identity: UUID, number: int, category: str, title: tuple[str, str, str], dearness: float, until: datetime
) -> Product:
    words = SHELVES[category]
    maker, line, kind = title
    low, high = words.prices
    price = Decimal(f"{low * (high / low) ** dearness:.0f}") - Decimal("0.05")
    material = words.materials[int(rng.integers(len(words.materials)))]
    first, second = (words.does[int(at)] for at in rng.choice(len(words.does), size=2, replace=False))
    age_days = rng.uniform(1, NEW_DAYS) if rng.random() < NEW_SHARE else rng.uniform(NEW_DAYS + 40, OLD_DAYS)
    sku = f"{''.join(letter for letter in category.upper() if letter.isalpha())[:4]}-{number + 1:05}"
    pictured = rng.random() >= WITHOUT_PICTURE_SHARE
    return Product(
        id=identity, sku=sku, name=f"{maker} {line} {kind}", category=category, price=price,
        description=f"{maker} {line}: {kind} made of {material}; {first}, {second}.",
        image_url=f"https://shop.example/pictures/{sku.lower()}.jpg" if pictured else None,
        stock=0 if rng.random() < SOLD_OUT_SHARE else int(rng.integers(1, 60)),
        created_at=until - timedelta(days=float(age_days)), is_active=bool(rng.random() >= WITHDRAWN_SHARE),
    )  # fmt: skip


def _partners(rng: Chance, shelf: Ints, dearness: Floats, draw: Floats) -> Ints:
    """For each product the few on the shelves beside it that it is bought with: alike in price, and liked by many."""
    found = np.empty((shelf.size, PARTNERS), dtype=np.int64)
    for place, name in enumerate(NAMES):
        beside = np.flatnonzero(np.isin(shelf, [NAMES.index(other) for other in SHELVES[name].goes_with]))
        own = np.flatnonzero(shelf == place)
        fits = -6.0 * np.abs(dearness[own][:, None] - dearness[beside][None, :]) + draw[beside][None, :]
        noisy = fits + rng.gumbel(size=fits.shape)
        found[own] = beside[np.argsort(-noisy, axis=1)[:, :PARTNERS]]
    return found
