"""Seeded history of the shop: 120 days of views, wishes, carts, removals and orders, and the lists that were shown.

Products are bought together with their partners: most products that are put into a cart bring a partner (a tent its
sleeping bag), and a cart is ordered as a whole.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np

from demo.synthetic.shop.customer_simulation import CustomerSimulator, ShopHistory
from demo.synthetic.shop.customers import Preferences, interest_of, make_customers
from demo.synthetic.shop.impressions import CANDIDATES, ListContext, ListSimulator
from demo.synthetic.shop.products import ProductRange, make_products
from demo.synthetic.simulation import DAY_S, Ints, PersonSimulator, Rng
from sites.shop.models import Customer, UserEmailPreference
from sites.shop.recommendation_sources import Shop

WINDOW_DAYS = 120
SHARES = {"none": 0.12, "few": 0.18, "some": 0.30}  # of the customers; the others come often
EVENTS_PER_VISIT = 7.5
MOST_VISITS = 40
DEMO = ((0, 0), (1, 4), (5, 19), (40, 10_000))  # counted interactions of the demo customers: none, few, some, many
DEMO_PER_GROUP = 2
NO_MAILS_SHARE = 0.12
PROBABILITY = {"list": 0.4, "product list": 0.07, "wish": 0.16, "cart": 0.5, "partner": 0.5, "removal": 0.12, "order": 0.6}


def make_history(*, seed: int, users: int, items: int, events: int, until: datetime) -> ShopHistory:
    """Make a shop of `items` products, `users` customers and about `events` events that end before `until`."""
    rng = np.random.default_rng(seed)
    until = until.astimezone(UTC)
    products = make_products(rng, seed=seed, items=items, until=until)
    drawn = make_customers(rng, seed=seed, users=users)
    history = ShopHistory(Shop, seed, items=products.products, people=[customer for customer, _ in drawn])
    lists = ListSimulator(rng, products, history)
    for (customer, preferences), visits in zip(drawn, _visits(rng, users, events), strict=True):
        _CustomerVisits(rng, history, customer, products, preferences, lists, until).run(visits)
    _choose_demo(history.people, history.counts())
    history.add(*_mail_preferences(rng, history.people, until))
    return history


def _visits(rng: Rng, users: int, events: int) -> list[int]:
    """Draw each customer's number of visits: 0, a single short one (-1), 1 to 3, or a heavy tail that adds up to `events`."""
    none, few, some = (round(share * users) for share in SHARES.values())
    tail = rng.pareto(1.8, size=users - none - few - some) + 0.6
    left = max(0.0, events / EVENTS_PER_VISIT - some * 2.0 - few * 0.3)
    often = np.minimum(2 + tail * left / tail.sum(), MOST_VISITS)
    counts = np.concatenate([np.zeros(none), np.full(few, -1), rng.integers(1, 4, size=some), often])
    return [int(count) for count in rng.permutation(counts)]


def _choose_demo(customers: Sequence[Customer], counted: list[int]) -> None:
    """Mark a few customers of each activity, of different personas where there are any."""
    used: set[str] = set()
    pairs = [pair for pair in zip(customers, counted, strict=True) if pair[0].favourite_categories]
    for low, high in DEMO:
        fitting = [customer for customer, count in pairs if low <= count <= high]
        fitting.sort(key=lambda customer: (customer.favourite_categories[0] in used, "also" in customer.taste))
        by_category: dict[str, Customer] = {}
        for customer in fitting:
            by_category.setdefault(customer.favourite_categories[0], customer)
        for category, customer in list(by_category.items())[:DEMO_PER_GROUP]:
            customer.is_demo = True
            used.add(category)


def _mail_preferences(rng: Rng, customers: Sequence[Customer], until: datetime) -> list[UserEmailPreference]:
    """Draw the preferences of customers who chose; the others receive all mails."""
    chose = [customer for customer in customers if rng.random() < NO_MAILS_SHARE]
    return [
        UserEmailPreference(customer=customer, abandoned_cart=bool(rng.random() < 0.5), weekly_picks=False, updated_at=until)
        for customer in chose
    ]


class _CustomerVisits(PersonSimulator):
    """One customer's visits, one after the other."""

    half_interest = 2.2

    def __init__(
        self, rng: Rng, history: ShopHistory, customer: Customer, products: ProductRange, preferences: Preferences,
        lists: ListSimulator, until: datetime,
    ) -> None:  # fmt: skip
        super().__init__(rng, history, customer, interest_of(products, preferences))
        self.products, self.preferences, self.lists = products, preferences, lists
        self.actions = CustomerSimulator(history, customer)
        self.opens, self.closes = (until - timedelta(days=WINDOW_DAYS)).timestamp(), until.timestamp()
        self.interest[[not product.is_active for product in self.products.products]] = -np.inf
        self.steps = np.cumsum(np.exp(self.interest))

    def run(self, visits: int) -> None:
        """Make these visits without overlap; -1 is a single visit with a few views."""
        if visits < 0:
            at = float(self.rng.uniform(self.opens, self.closes - 3600))
            for product in self._draw_products(int(self.rng.integers(1, 4)), at):
                self.actions.record("view", product, at)
            return
        starts = np.sort(self.rng.uniform(self.opens, self.closes - 0.25 * DAY_S, size=visits)).tolist()
        for at, next_at in zip(starts, [*starts[1:], self.closes], strict=False):
            self._visit(at, min(0.2 * DAY_S, float(next_at - at) * 0.9))

    def _visit(self, start: float, duration_s: float) -> None:
        """Perhaps see a list; then look at products, perhaps with partners in the cart and an order."""
        wanted: list[tuple[int, UUID | None]] = []
        if self.happens(PROBABILITY["list"]):
            wanted += self._click_list("homepage", start, self._draw_products(CANDIDATES, start))
        wanted += [(product, None) for product in self._draw_products(int(1 + self.rng.geometric(0.35)), start)]
        step = duration_s / (4 * len(wanted) + 4)
        at = start
        for product, request_id in wanted:
            at += step
            self._look_at(product, at, step, request_id)
        if self.happens(PROBABILITY["order"]):
            self.actions.buy(at + 3 * step)

    def _look_at(self, product: int, at: float, step: float, request_id: UUID | None) -> None:
        if request_id is None:
            self.actions.record("view", product, at)
        appeal = self.appeal(product)
        if self.happens(PROBABILITY["product list"]):
            rows = np.concatenate([self.products.partners[product], self._draw_products(CANDIDATES // 2, at)])
            candidates = self._on_sale(np.unique(rows[rows != product]), at)
            for other, list_id in self._click_list("product", at + step / 8, candidates, about=product):
                self.actions.put_in(other, at + step / 4, list_id)
        if self.happens(PROBABILITY["wish"] * appeal):
            self.actions.wish(product, at + step / 4)
        if self.happens(PROBABILITY["cart"] * appeal):
            self._put_in_cart(product, at + step / 2, step, request_id)

    def _put_in_cart(self, product: int, at: float, step: float, request_id: UUID | None) -> None:
        """Put a product into the cart, then take it out again or add its partners."""
        self.actions.put_in(product, at, request_id)
        if self.happens(PROBABILITY["removal"]):
            self.actions.take_out(product, at + step / 4)
            return
        if self.happens(PROBABILITY["partner"]):
            count = 1 + int(self.happens(0.4))
            for partner in self._on_sale(self.products.partners[product][:count], at).tolist():
                self.actions.record("view", partner, at + step / 8)
                self.actions.put_in(partner, at + step / 6)

    def _click_list(self, surface: str, at: float, candidates: Ints, *, about: int = -1) -> list[tuple[int, UUID | None]]:
        """Show a list; return the clicked products with the list's request id."""
        if candidates.size < 2:
            return []
        request_id = self.actions.history.next_id("list")
        context = ListContext(request_id, str(self.person.pk), surface, at, about)
        shown = self.lists.show(context, candidates, self.interest, self.preferences)
        clicked = self.lists.clicked(shown, self.interest, about=about)
        for product in clicked:
            self.actions.record("recommendation_click", product, at + 1.0, request_id)
        return [(product, request_id) for product in clicked]

    def _draw_products(self, count: int, at: float) -> Ints:
        """Draw at most `count` different products on sale, in proportion to exp(interest)."""
        rows = np.searchsorted(self.steps, self.rng.random(count) * self.steps[-1], side="right")
        return self._on_sale(np.unique(rows), at)

    def _on_sale(self, rows: Ints, at: float) -> Ints:
        """Return the rows that are on sale at this time, in random order."""
        return self.rng.permutation(rows[(self.products.created[rows] <= at) & np.isfinite(self.interest[rows])])
