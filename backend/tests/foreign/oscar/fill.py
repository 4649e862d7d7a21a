"""Fill the shop through Oscar's own models: products with variants, customers with tastes, and five kinds of event."""

import random
from datetime import timedelta
from decimal import Decimal

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone
from oscar.apps.analytics.models import UserProductView
from oscar.apps.basket.models import Basket
from oscar.apps.catalogue.categories import create_from_breadcrumbs
from oscar.apps.catalogue.models import Product, ProductCategory, ProductClass
from oscar.apps.catalogue.reviews.models import ProductReview
from oscar.apps.order.models import Line, Order
from oscar.apps.partner.models import Partner, StockRecord
from oscar.apps.wishlists.models import WishList

WORDS = {
    "Coffee": "espresso roast beans arabica filter grinder cup crema",
    "Garden": "seed soil spade pot herb lawn rose hose",
    "Running": "shoe sole marathon trail sock watch pace lace",
    "Books": "novel poem cover chapter author plot page story",
}
rng = random.Random(11)  # noqa: S311 - made-up data
now = timezone.now()
partner = Partner.objects.create(name="Warehouse")
kind = ProductClass.objects.create(name="Goods", requires_shipping=True, track_stock=False)


transaction.set_autocommit(False)


def stocked(product, number):
    StockRecord.objects.create(
        product=product, partner=partner, partner_sku=f"sku-{number}", price=Decimal("9.90"), num_in_stock=50
    )


by_category = {}
for place, (name, words) in enumerate(WORDS.items()):
    category = create_from_breadcrumbs(name)
    for number in range(20):
        chosen = rng.sample(words.split(), 3)
        structure = Product.PARENT if number % 5 == 0 else Product.STANDALONE
        product = Product.objects.create(
            title=f"{name} {chosen[0]} {number}",
            description=f"A {chosen[0]} with {chosen[1]} and {chosen[2]}",
            product_class=kind,
            structure=structure,
            is_public=number != 19,
        )
        ProductCategory.objects.create(product=product, category=category)
        sold = [product]
        if structure == Product.PARENT:
            sold = [
                Product.objects.create(title=f"{product.title} {size}", parent=product, structure=Product.CHILD)
                for size in "SL"
            ]
        for size, variant in enumerate(sold):
            stocked(variant, f"{place}-{number}-{size}")
        by_category.setdefault(name, []).append((product, sold))

User = get_user_model()
customers = [User.objects.create_user(f"c{number}", f"c{number}@example.org") for number in range(80)]
customers[1].set_password("a-long-password")
customers[1].save()
names = list(WORDS)
for place, customer in enumerate(customers):
    favourite = by_category[names[place % 4]]
    other = by_category[rng.choice(names)]
    for product, _ in rng.sample(favourite, 8) + rng.sample(other, 1):
        UserProductView.objects.create(user=customer, product=product)
    basket = Basket.objects.create(owner=customer)
    wishes = WishList.objects.create(owner=customer, name="Later")
    for product, sold in rng.sample(favourite, 3):
        basket.lines.create(
            line_reference=f"{basket.pk}-{sold[0].pk}",
            product=sold[0],
            stockrecord=sold[0].stockrecords.first(),
            quantity=1,
            price_excl_tax=Decimal("9.90"),
        )
        wishes.add(product)
    order = Order.objects.create(
        number=f"{1000 + place}",
        user=customer,
        total_incl_tax=Decimal(30),
        total_excl_tax=Decimal(25),
        shipping_incl_tax=0,
        shipping_excl_tax=0,
        date_placed=now - timedelta(days=rng.uniform(1, 60)),
    )
    if place % 10 == 9:  # a guest bought without an account
        Order.objects.filter(pk=order.pk).update(user=None)
    for product, sold in rng.sample(favourite, 4):
        Line.objects.create(
            order=order,
            product=rng.choice(sold),
            title=product.title,
            quantity=1,
            num_allocated=1,
            partner=partner,
            line_price_incl_tax=Decimal(10),
            line_price_excl_tax=Decimal(8),
            line_price_before_discounts_incl_tax=Decimal(10),
            line_price_before_discounts_excl_tax=Decimal(8),
        )
    product, _ = favourite[place % 19]
    if not product.is_child:
        ProductReview.objects.create(product=product, user=customer, score=rng.randint(1, 5), title="Well", body="As described")
transaction.commit()
