"""Actions of one synthetic customer, written as the shop's own rows and as events with stable ids."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from demo.synthetic.shop.products import SITE, ProductRange
from demo.synthetic.simulation import DAY_S, stable_id
from sites.shop.models import Cart, CartLine, CartRemoval, Customer, Order, OrderLine, WishlistItem
from sites.shop.recommendation_sources import Shop
from tandem.event_sync import mirror_of
from tandem.services.bulk_load import Happened

EventId = Callable[[UUID], UUID]


@dataclass(slots=True)
class Ledger:
    """All rows and events of the shop's history, and the numbering of their ids."""

    products: ProductRange
    seed: int
    carts: list[Cart] = field(default_factory=list)
    lines: list[CartLine] = field(default_factory=list)
    removals: list[CartRemoval] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    order_lines: list[OrderLine] = field(default_factory=list)
    wishes: list[WishlistItem] = field(default_factory=list)
    events: list[Happened] = field(default_factory=list)
    count: int = 0
    event_ids: dict[str, EventId] = field(
        default_factory=lambda: {name: mirror_of(Shop, name, model).event_id for name, model in Shop.events.items()}
    )

    def id(self, kind: str) -> UUID:
        """Return the next id."""
        self.count += 1
        return stable_id(SITE, self.seed, kind, self.count)


class CustomerSimulator:
    """Records one customer's actions. Times (`at`) are seconds since 1970; products are rows of the product range."""

    def __init__(self, ledger: Ledger, customer: Customer) -> None:
        self.ledger, self.customer = ledger, customer
        self.cart: Cart | None = None
        self.lines: dict[int, CartLine] = {}
        self.wished: set[int] = set()
        self.counted: set[tuple[str, int, int]] = set()  # positive events; repeats on one day count once

    def record(self, event: str, product: int, at: float, request_id: UUID | None = None) -> None:
        """Record an event without a table of its own: a view, or a click on a recommendation."""
        self._add_event(self.ledger.id("event"), event, product, at, request_id=request_id)

    def wish(self, product: int, at: float) -> None:
        """Put a product on the wishlist, once."""
        if product in self.wished:
            return
        self.wished.add(product)
        row = WishlistItem(id=self.ledger.id("wish"), **self._row(product, at))
        self.ledger.wishes.append(row)
        self._add_row_event("wishlist_add", row, product, at)

    def put_in(self, product: int, at: float, request_id: UUID | None = None) -> None:
        """Put a product into the open cart, unless the cart has, or had, a line of it."""
        if self.cart is None:
            self.cart = Cart(id=self.ledger.id("cart"), customer=self.customer, created_at=_time(at), touched_at=_time(at))
            self.ledger.carts.append(self.cart)
        if product in self.lines:
            return
        row = CartLine(id=self.ledger.id("line"), cart=self.cart, request_id=request_id, **self._row(product, at))
        self.cart.touched_at, self.lines[product] = _time(at), row
        self.ledger.lines.append(row)
        self._add_row_event("cart_add", row, product, at, request_id=request_id)

    def take_out(self, product: int, at: float) -> None:
        """Take a product out of the open cart."""
        line = self.lines.get(product)
        if self.cart is None or line is None or not line.quantity:
            return
        line.quantity, self.cart.touched_at = 0, _time(at)
        row = CartRemoval(id=self.ledger.id("removal"), **self._row(product, at))
        self.ledger.removals.append(row)
        self._add_row_event("cart_remove", row, product, at)

    def buy(self, at: float) -> None:
        """Order everything in the cart at this time."""
        lines = {product: line for product, line in self.lines.items() if line.quantity}
        if self.cart is None or not lines:
            return
        total = sum((line.product.price * line.quantity for line in lines.values()), Decimal())
        order = Order(id=self.ledger.id("order"), customer=self.customer, cart=self.cart, created_at=_time(at), total=total)
        self.ledger.orders.append(order)
        for product, line in lines.items():
            row = OrderLine(
                id=self.ledger.id("bought"), order=order, quantity=line.quantity, price=line.product.price,
                value=float(line.product.price * line.quantity), request_id=line.request_id, **self._row(product, at),
            )  # fmt: skip
            self.ledger.order_lines.append(row)
            self._add_row_event("purchase", row, product, at, value=row.value, request_id=line.request_id)
        self.cart.closed_at = self.cart.touched_at = _time(at)
        self.cart, self.lines = None, {}

    def _row(self, product: int, at: float) -> dict[str, object]:
        return {"customer": self.customer, "product": self.ledger.products.products[product], "created_at": _time(at)}

    def _add_row_event(
        self, event: str, row: WishlistItem | CartLine | CartRemoval | OrderLine, product: int, at: float, *,
        value: float | None = None, request_id: UUID | None = None,
    ) -> None:  # fmt: skip
        self._add_event(self.ledger.event_ids[event](row.pk), event, product, at, value=value, request_id=request_id)

    def _add_event(
        self, event_id: UUID, event: str, product: int, at: float, *, value: float | None = None, request_id: UUID | None = None
    ) -> None:
        item_id = str(self.ledger.products.products[product].pk)
        self.ledger.events.append(Happened(event_id, str(self.customer.pk), item_id, event, _time(at), value, request_id))
        if event != "cart_remove":
            self.counted.add((event, product, int(at // DAY_S)))


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
