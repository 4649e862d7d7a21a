"""Actions of one synthetic customer, written as the shop's own rows and as events with stable ids."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from demo.synthetic.simulation import SiteHistory
from sites.shop.models import Cart, CartLine, CartRemoval, Customer, Order, OrderLine, WishlistItem


class ShopHistory(SiteHistory):
    """The shop's history; all its ids are numbered together."""

    count: int = 0

    def next_id(self, kind: str) -> UUID:
        """Return the next id."""
        self.count += 1
        return self.id(kind, self.count)

    def next_event_id(self) -> UUID:
        """Return the next id, for an event without a row."""
        return self.next_id("event")


class CustomerSimulator:
    """Records one customer's actions. Times (`at`) are seconds since 1970; products are rows of the shop's items."""

    def __init__(self, history: ShopHistory, customer: Customer) -> None:
        self.history, self.customer = history, customer
        self.cart: Cart | None = None
        self.lines: dict[int, CartLine] = {}
        self.wished: set[int] = set()

    def record(self, event: str, product: int, at: float, request_id: UUID | None = None) -> None:
        """Record an event without a table of its own: a view, or a click on a recommendation."""
        self.history.record(self.customer, product, event, _time(at), request_id)

    def wish(self, product: int, at: float) -> None:
        """Put a product on the wishlist, once."""
        if product in self.wished:
            return
        self.wished.add(product)
        self.history.add_event("wishlist_add", WishlistItem(id=self.history.next_id("wish"), **self._row(product, at)))

    def put_in(self, product: int, at: float, request_id: UUID | None = None) -> None:
        """Put a product into the open cart, unless the cart has, or had, a line of it."""
        if self.cart is None:
            self.cart = Cart(
                id=self.history.next_id("cart"), customer=self.customer, created_at=_time(at), touched_at=_time(at)
            )
            self.history.add(self.cart)
        if product in self.lines:
            return
        row = CartLine(id=self.history.next_id("line"), cart=self.cart, request_id=request_id, **self._row(product, at))
        self.cart.touched_at, self.lines[product] = _time(at), row
        self.history.add_event("cart_add", row)

    def take_out(self, product: int, at: float) -> None:
        """Take a product out of the open cart."""
        line = self.lines.get(product)
        if self.cart is None or line is None or not line.quantity:
            return
        line.quantity, self.cart.touched_at = 0, _time(at)
        self.history.add_event("cart_remove", CartRemoval(id=self.history.next_id("removal"), **self._row(product, at)))

    def buy(self, at: float) -> None:
        """Order everything in the cart at this time."""
        lines = {product: line for product, line in self.lines.items() if line.quantity}
        if self.cart is None or not lines:
            return
        total = sum((line.product.price * line.quantity for line in lines.values()), Decimal())
        order = Order(
            id=self.history.next_id("order"), customer=self.customer, cart=self.cart, created_at=_time(at), total=total
        )
        self.history.add(order)
        for product, line in lines.items():
            row = OrderLine(
                id=self.history.next_id("bought"), order=order, quantity=line.quantity, price=line.product.price,
                value=float(line.product.price * line.quantity), request_id=line.request_id, **self._row(product, at),
            )  # fmt: skip
            self.history.add_event("purchase", row)
        self.cart.closed_at = self.cart.touched_at = _time(at)
        self.cart, self.lines = None, {}

    def _row(self, product: int, at: float) -> dict[str, object]:
        return {"customer": self.customer, "product": self.history.items[product], "created_at": _time(at)}


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
