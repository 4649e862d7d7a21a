"""A seeded past for the shop: 120 days of views, wishes, carts, removals and orders in baskets, and the lists shown.

The same seed and end date give the same shop, people and events. What is bought together belongs together: most things
that go into a cart bring one of their partners along (a tent its sleeping bag), and a cart is ordered at one moment.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np

from demo.synthetic.shop.customer_simulation import Books, Purse
from demo.synthetic.shop.customers import Taste, make_shoppers, pull_of
from demo.synthetic.shop.impressions import CANDIDATES, Place, Showcase
from demo.synthetic.shop.products import Assortment, Chance, Ints, make_assortment
from sites.shop.models import Customer, UserEmailPreference
from tandem.services.bulk_load import Happened, Shown

WINDOW_DAYS = 120
DAY_S = 86_400.0
SHARES = {"none": 0.12, "few": 0.18, "some": 0.30}  # the rest come often
EVENTS_A_VISIT = 7.5
MOST_VISITS = 40
DEMO = ((0, 0), (1, 4), (5, 19), (40, 10_000))  # counted interactions of the demo customers: none, few, some, many
DEMO_EACH = 2
NO_MAILS_SHARE = 0.12
CHANCE = {"list": 0.4, "product list": 0.07, "wish": 0.16, "cart": 0.5, "partner": 0.5, "regret": 0.12, "order": 0.6}
WARM = 2.2  # a product that pulls this much is put into the cart half as often as can be
MIN_ITEMS, MIN_USERS = 90, 40


@dataclass(frozen=True, slots=True)
class Market:
    """Everything that is to be written."""

    assortment: Assortment
    customers: tuple[Customer, ...]
    books: Books
    lists: tuple[Shown, ...]
    preferences: tuple[UserEmailPreference, ...]
    counted: tuple[int, ...]  # counted interactions per customer, in the order of `customers`

    @property
    def events(self) -> list[Happened]:
        """Every event, in no order."""
        return self.books.events


def make_market(*, seed: int, users: int, items: int, events: int, until: datetime) -> Market:
    """A shop of `items` products, `users` customers and about `events` events that end before `until`."""
    rng = np.random.default_rng(seed)
    until = until.astimezone(UTC)
    assortment = make_assortment(rng, seed=seed, items=items, until=until)
    shoppers = make_shoppers(rng, seed=seed, users=users)
    books, showcase = Books(assortment, seed), Showcase(rng, assortment)
    counted = []
    for (customer, taste), visits in zip(shoppers, _visits(rng, users, events), strict=True):
        purse = Purse(books, customer)
        _Walk(rng, assortment, taste, showcase, purse, until).do(visits)
        counted.append(len(purse.counted))
    customers = tuple(customer for customer, _ in shoppers)
    _choose_demo(customers, counted)
    return Market(assortment, customers, books, tuple(showcase.lists), _preferences(rng, customers, until), tuple(counted))


def _visits(rng: Chance, users: int, events: int) -> list[int]:
    """How often each customer comes: some never, some once, and a heavy tail that adds up to `events`."""
    none, few, some = (round(share * users) for share in SHARES.values())
    often = users - none - few - some
    tail = rng.pareto(1.8, size=often) + 0.6
    left = max(0.0, events / EVENTS_A_VISIT - some * 2.0 - few * 0.3)
    counts = np.concatenate([
        np.zeros(none), np.full(few, -1), rng.integers(1, 4, size=some), np.minimum(2 + tail * left / tail.sum(), MOST_VISITS),
    ])  # fmt: skip
    return [int(count) for count in rng.permutation(counts)]


def _choose_demo(customers: tuple[Customer, ...], counted: list[int]) -> None:
    """Customers to be listed first: of each activity a few, of different personas."""
    known: set[str] = set()
    for least, most in DEMO:
        fitting = [
            one for one, count in zip(customers, counted, strict=True) if least <= count <= most and one.favourite_categories
        ]
        chosen: list[Customer] = []
        for one in sorted(fitting, key=lambda one: (one.favourite_categories[0] in known, "also" in one.taste)):
            if len(chosen) < DEMO_EACH and one.favourite_categories[0] not in {
                other.favourite_categories[0] for other in chosen
            }:
                chosen.append(one)
        for one in chosen:
            one.is_demo = True
            known.add(one.favourite_categories[0])


def _preferences(rng: Chance, customers: tuple[Customer, ...], until: datetime) -> tuple[UserEmailPreference, ...]:
    """Those who said which mails they want; the others take what the shop sends."""
    said = [customer for customer in customers if rng.random() < NO_MAILS_SHARE]
    return tuple(
        UserEmailPreference(customer=one, abandoned_cart=bool(rng.random() < 0.5), weekly_picks=False, updated_at=until)
        for one in said
    )


class _Walk:
    """One customer's visits, one after the other."""

    def __init__(
        self, rng: Chance, assortment: Assortment, taste: Taste, showcase: Showcase, purse: Purse, until: datetime
    ) -> None:
        self.rng, self.assortment, self.taste, self.showcase, self.purse = rng, assortment, taste, showcase, purse
        self.opens, self.closes = (until - timedelta(days=WINDOW_DAYS)).timestamp(), until.timestamp()
        self.pull = pull_of(assortment, taste)
        self.pull[[not product.is_active for product in assortment.products]] = -np.inf
        self.steps = np.cumsum(np.exp(self.pull))

    def do(self, visits: int) -> None:
        """So many visits, none overlapping; -1: one look in, and gone."""
        if visits < 0:
            at = float(self.rng.uniform(self.opens, self.closes - 3600))
            for product in self._drawn(int(self.rng.integers(1, 4)), at):
                self.purse.saw("view", product, at)
            return
        starts = np.sort(self.rng.uniform(self.opens, self.closes - 0.25 * DAY_S, size=visits))
        for place, at in enumerate(starts.tolist()):
            ends = starts[place + 1] if place + 1 < visits else self.closes
            self._visit(at, min(0.2 * DAY_S, float(ends - at) * 0.9))

    def _visit(self, start: float, lasts_s: float) -> None:
        """Perhaps a list at the door; then product pages, a cart, its partners, and perhaps an order."""
        wanted: list[tuple[int, UUID | None]] = []
        if self.rng.random() < CHANCE["list"]:
            wanted += self._answer("homepage", start, self._drawn(CANDIDATES, start))
        wanted += [(product, None) for product in self._drawn(int(1 + self.rng.geometric(0.35)), start)]
        step = lasts_s / (4 * len(wanted) + 4)
        at = start
        for product, request_id in wanted:
            at += step
            self._look(product, at, step, request_id)
        if self.rng.random() < CHANCE["order"]:
            self.purse.buy(at + 3 * step)

    def _look(self, product: int, at: float, step: float, request_id: UUID | None) -> None:
        if request_id is None:
            self.purse.saw("view", product, at)
        warm = 1.0 / (1.0 + np.exp(WARM - self.pull[product]))
        if self.rng.random() < CHANCE["product list"]:
            beside = np.concatenate([self.assortment.partners[product], self._drawn(CANDIDATES // 2, at)])
            for other, answered in self._answer(
                "product", at + step / 8, self._born(np.unique(beside[beside != product]), at), about=product
            ):
                self.purse.put_in(other, at + step / 4, answered)
        if self.rng.random() < CHANCE["wish"] * warm:
            self.purse.wish(product, at + step / 4)
        if self.rng.random() < CHANCE["cart"] * warm:
            self._gather(product, at + step / 2, step, request_id)

    def _gather(self, product: int, at: float, step: float, request_id: UUID | None) -> None:
        """Into the cart, with what belongs to it; some of it is regretted."""
        self.purse.put_in(product, at, request_id)
        if self.rng.random() < CHANCE["regret"]:
            self.purse.take_out(product, at + step / 4)
            return
        if self.rng.random() < CHANCE["partner"]:
            for partner in self._born(self.assortment.partners[product][: 1 + int(self.rng.random() < 0.4)], at).tolist():
                if np.isfinite(self.pull[partner]):
                    self.purse.saw("view", partner, at + step / 8)
                    self.purse.put_in(partner, at + step / 6)

    def _answer(self, surface: str, at: float, found: Ints, *, about: int = -1) -> list[tuple[int, UUID | None]]:
        """Show a list and click on it; each clicked product with the list it was on."""
        if found.size < 2:
            return []
        request_id = self.purse.books.id("list")
        where = Place(request_id, str(self.purse.customer.pk), surface, at, about)
        shown = self.showcase.show(where, found, self.pull, self.taste)
        clicked = self.showcase.clicked(shown, self.pull, about=about)
        for product in clicked:
            self.purse.saw("recommendation_click", product, at + 1.0, request_id)
        return [(product, request_id) for product in clicked]

    def _drawn(self, count: int, at: float) -> Ints:
        """(at most count,) different products that are on sale, drawn by how strongly they pull."""
        places = np.searchsorted(self.steps, self.rng.random(count) * self.steps[-1], side="right")
        return self._born(np.unique(places), at)

    def _born(self, places: Ints, at: float) -> Ints:
        """Those that are on sale at that moment, in an order of chance."""
        return self.rng.permutation(places[(self.assortment.born[places] <= at) & np.isfinite(self.pull[places])])
