"""Fill the marketplace: three categories, and people who look for things of one and sell things of another."""

import random

from bazaar.models import Favorite, Listing, Offer
from django.contrib.auth.models import User
from django.db import transaction

WORDS = {"bikes": "wheel brake saddle", "books": "novel cover pages", "tools": "saw drill hammer"}
rng, categories = random.Random(5), list(WORDS)  # noqa: S311 - made-up data
with transaction.atomic():
    made, people = {name: [] for name in categories}, []
    for number in range(45):
        people.append(User.objects.create(username=f"u{number}", email=f"u{number}@example.org"))
        name = categories[(number + 1) % 3]
        text = " ".join(rng.choices(WORDS[name].split(), k=6))
        listing = {"title": f"{name} {number}", "description": text, "category": name, "price": 10 + number}
        made[name].append(Listing.objects.create(seller=people[-1], **listing))
    Listing.objects.create(seller=people[0], title="sold", description="x", category="bikes", price=1, status="sold")
    for number, user in enumerate(people):
        listings = rng.sample(made[categories[number % 3]], 7)
        for listing in listings[:4]:
            Favorite.objects.create(listing=listing, user=user)
        for listing in listings[4:]:
            Offer.objects.create(listing=listing, buyer=user, amount=listing.price - 1)
