"""Synthetic products of the shop, and which of them are bought together."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from demo.synthetic.simulation import Floats, Ints, Rng, popularity, stable_id
from demo.synthetic.vocabulary import Vocabulary, read_vocabulary
from sites.shop.models import Product


class Category(Vocabulary):
    """Vocabulary of one category, its lowest and highest price in euros, and the categories that people buy with it."""

    kinds: tuple[str, ...]
    materials: tuple[str, ...]
    features: tuple[str, ...]
    price_range: tuple[float, float]
    bought_with: tuple[str, ...]

    def price(self, level: float) -> float:
        """Return the price at a level from 0, the lowest, to 1, the highest."""
        low, high = self.price_range
        return float(low * (high / low) ** level)


class Persona(Vocabulary):
    """One kind of customer, and the categories they buy from, the most wanted first."""

    description: str
    categories: tuple[str, ...]


class ShopVocabulary(Vocabulary):
    """Word lists of the shop."""

    makers: tuple[str, ...]
    lines: tuple[str, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    personas: tuple[Persona, ...]
    categories: dict[str, Category]


SITE = "shop"
VOCABULARY = read_vocabulary(SITE, ShopVocabulary)
CATEGORIES = tuple(VOCABULARY.categories)
POPULARITY_EXPONENT = 0.9
PARTNERS = 3
SOLD_OUT_SHARE = 0.05
WITHDRAWN_SHARE = 0.01
WITHOUT_IMAGE_SHARE = 0.4
NEW_SHARE = 0.08
NEW_DAYS, OLD_DAYS = 100, 1_100


@dataclass(frozen=True, slots=True)
class ProductRange:
    """The products and hidden facts about them; arrays have one entry per product."""

    products: tuple[Product, ...]
    category: Ints  # (n,) index into CATEGORIES
    price_level: Floats  # (n,) 0 to 1 within its category
    popularity: Floats  # (n,) log of the Zipf weight within its category
    created: Floats  # (n,) seconds since 1970
    partners: Ints  # (n, PARTNERS) rows of the products that are bought with it


def make_products(rng: Rng, *, seed: int, items: int, until: datetime) -> ProductRange:
    """Make `items` products, spread over all categories; a few are sold out, fewer are withdrawn."""
    category = np.sort(np.arange(items) % len(CATEGORIES))
    price_level = rng.random(items)
    titles = _titles(rng, category)
    products = tuple(
        _product(rng, seed, row, CATEGORIES[category[row]], titles[row], float(price_level[row]), until) for row in range(items)
    )
    created = np.array([product.created_at.timestamp() for product in products])
    popular = np.concatenate([popularity(rng, int(count), POPULARITY_EXPONENT) for count in np.bincount(category)])
    partners = _partners(rng, category, price_level, popular)
    return ProductRange(products, category, price_level, popular, created, partners)


def _titles(rng: Rng, category: Ints) -> list[tuple[str, str, str]]:
    """Draw maker, line and kind of each product; no title is used twice within a category while there are others."""
    titles: list[tuple[str, str, str]] = []
    for row, terms in enumerate(VOCABULARY.categories.values()):
        options = [(maker, line, kind) for maker in VOCABULARY.makers for line in VOCABULARY.lines for kind in terms.kinds]
        order = rng.permutation(len(options))
        titles += [options[order[number % len(options)]] for number in range(int(np.count_nonzero(category == row)))]
    return titles


def _product(
    rng: Rng, seed: int, number: int, category: str, title: tuple[str, str, str], price_level: float, until: datetime
) -> Product:
    terms, (maker, line, kind) = VOCABULARY.categories[category], title
    material = terms.materials[int(rng.integers(len(terms.materials)))]
    first, second = (terms.features[row] for row in rng.choice(len(terms.features), size=2, replace=False).tolist())
    age_days = rng.uniform(1, NEW_DAYS) if rng.random() < NEW_SHARE else rng.uniform(NEW_DAYS + 40, OLD_DAYS)
    sku = f"{''.join(letter for letter in category.upper() if letter.isalpha())[:4]}-{number + 1:05}"
    has_image = rng.random() >= WITHOUT_IMAGE_SHARE
    return Product(
        id=stable_id(SITE, seed, "product", number), sku=sku, name=f"{maker} {line} {kind}", category=category,
        price=Decimal(f"{terms.price(price_level):.0f}") - Decimal("0.05"),
        description=f"{maker} {line}: {kind} made of {material}; {first}, {second}.",
        image_url=f"https://shop.example/pictures/{sku.lower()}.jpg" if has_image else None,
        stock=0 if rng.random() < SOLD_OUT_SHARE else int(rng.integers(1, 60)),
        created_at=until - timedelta(days=float(age_days)), is_active=bool(rng.random() >= WITHDRAWN_SHARE),
    )  # fmt: skip


def _partners(rng: Rng, category: Ints, price_level: Floats, popular: Floats) -> Ints:
    """Choose the products that each is bought with: from the related categories, of a similar price, and popular."""
    partners = np.empty((category.size, PARTNERS), dtype=np.int64)
    for row, terms in enumerate(VOCABULARY.categories.values()):
        related = np.flatnonzero(np.isin(category, [CATEGORIES.index(name) for name in terms.bought_with]))
        rows = np.flatnonzero(category == row)
        scores = -6.0 * np.abs(price_level[rows][:, None] - price_level[related][None, :]) + popular[related][None, :]
        scores += rng.gumbel(size=scores.shape)
        partners[rows] = related[np.argsort(-scores, axis=1)[:, :PARTNERS]]
    return partners
