"""What one invented customer did, written down as the shop's own rows and as events, with ids that never change."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from demo.synthetic.shop.products import Assortment, stable_id
from sites.shop.models import Cart, CartLine, CartRemoval, Customer, Order, OrderLine, WishlistItem
from sites.shop.recommendation_sources import Shop
from tandem.event_sync import mirror_of
from tandem.services.bulk_load import Happened

EventId = Callable[[UUID], UUID]


@dataclass(slots=True)
class Books:
    """Every row and event of the shop's past, and the numbering of their ids."""

    assortment: Assortment
    seed: int
    carts: list[Cart] = field(default_factory=list)
    lines: list[CartLine] = field(default_factory=list)
    removals: list[CartRemoval] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    order_lines: list[OrderLine] = field(default_factory=list)
    wishes: list[WishlistItem] = field(default_factory=list)
    events: list[Happened] = field(default_factory=list)
    count: int = 0
    mirrored: dict[str, EventId] = field(
        default_factory=lambda: {name: mirror_of(Shop, name, model).event_id for name, model in Shop.events.items()}
    )

    def id(self, kind: str) -> UUID:
        """The next id."""
        self.count += 1
        return stable_id(self.seed, kind, self.count)


class Purse:
    """One customer's doings. Times are seconds since 1970; products are places in the assortment."""

    def __init__(self, books: Books, customer: Customer) -> None:
        self.books, self.customer = books, customer
        self.cart: Cart | None = None
        self.lines: dict[int, CartLine] = {}
        self.wished: set[int] = set()
        self.counted: set[tuple[str, int, int]] = set()  # positive events, repeats of a day once

    def saw(self, event: str, product: int, at: float, request_id: UUID | None = None) -> None:
        """An event without a table of its own: a view, or a click on a recommendation."""
        self._happened(self.books.id("event"), event, product, at, request_id=request_id)

    def wish(self, product: int, at: float) -> None:
        """Put a product on the wishlist, once."""
        if product in self.wished:
            return
        self.wished.add(product)
        row = WishlistItem(
            id=self.books.id("wish"), customer=self.customer, product=self._product(product), created_at=_day(at)
        )
        self.books.wishes.append(row)
        self._happened(self._mirrored("wishlist_add", row.id), "wishlist_add", product, at)

    def put_in(self, product: int, at: float, request_id: UUID | None = None) -> None:
        """Put a product into the open cart, unless it lies there or was taken out of it before."""
        if self.cart is None:
            self.cart = Cart(id=self.books.id("cart"), customer=self.customer, created_at=_day(at), touched_at=_day(at))
            self.books.carts.append(self.cart)
        if product in self.lines:
            return
        row = CartLine(
            id=self.books.id("line"), cart=self.cart, customer=self.customer, product=self._product(product),
            created_at=_day(at), request_id=request_id,
        )  # fmt: skip
        self.cart.touched_at, self.lines[product] = _day(at), row
        self.books.lines.append(row)
        self._happened(self._mirrored("cart_add", row.id), "cart_add", product, at, request_id=request_id)

    def take_out(self, product: int, at: float) -> None:
        """Take a product out of the open cart again."""
        line = self.lines.get(product)
        if self.cart is None or line is None or not line.quantity:
            return
        line.quantity, self.cart.touched_at = 0, _day(at)
        row = CartRemoval(id=self.books.id("removal"), customer=self.customer, product=line.product, created_at=_day(at))
        self.books.removals.append(row)
        self._happened(self._mirrored("cart_remove", row.id), "cart_remove", product, at)

    def buy(self, at: float) -> None:
        """Order what lies in the cart, all of it at one moment."""
        left = {product: line for product, line in self.lines.items() if line.quantity}
        if self.cart is None or not left:
            return
        total = sum((line.product.price * line.quantity for line in left.values()), Decimal())
        order = Order(id=self.books.id("order"), customer=self.customer, cart=self.cart, created_at=_day(at), total=total)
        self.books.orders.append(order)
        for product, line in left.items():
            value = float(line.product.price * line.quantity)
            row = OrderLine(
                id=self.books.id("bought"), order=order, customer=self.customer, product=line.product, quantity=line.quantity,
                price=line.product.price, value=value, created_at=_day(at), request_id=line.request_id,
            )  # fmt: skip
            self.books.order_lines.append(row)
            event_id = self._mirrored("purchase", row.id)
            self._happened(event_id, "purchase", product, at, value=value, request_id=line.request_id)
        self.cart.closed_at = self.cart.touched_at = _day(at)
        self.cart, self.lines = None, {}

    def _happened(
        self, event_id: UUID, event: str, product: int, at: float, *, value: float | None = None, request_id: UUID | None = None
    ) -> None:
        item_id = str(self._product(product).pk)
        told = Happened(event_id, str(self.customer.pk), item_id, event, _day(at), value, request_id)
        self.books.events.append(told)
        if event != "cart_remove":
            self.counted.add((event, product, int(at // 86_400)))

    def _mirrored(self, event: str, key: UUID) -> UUID:
        return self.books.mirrored[event](key)

    def _product(self, place: int):  # type: ignore[no-untyped-def]  # a Product, as the assortment says
        return self.books.assortment.products[place]


def _day(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
