"""Fill the library: 45 works with two editions each, and 45 readers who like one subject each."""

import random

from books.models import Boost, Edition, Review, Shelf, ShelfBook, User, UserBlocks, Work
from django.db import transaction

WORDS = {"sea": "ship storm whale port", "crime": "murder clue police judge", "space": "star rocket planet alien"}
rng, subjects = random.Random(9), list(WORDS)  # noqa: S311 - made-up data
with transaction.atomic():
    people = [
        User.objects.create(id=f"https://example.org/user/r{n}", username=f"r{n}", email=f"r{n}@example.org") for n in range(45)
    ]
    editions = {}
    for number in range(45):
        subject = subjects[number % 3]
        text = " ".join(rng.choices(WORDS[subject].split(), k=8))
        title = f"{subject.title()} {number}"
        work = Work.objects.create(title=title, description=text, subjects=[subject], added_by=people[number % 5])
        editions.setdefault(subject, []).append(
            [Edition.objects.create(title=f"{title}, {kind}", parent_work=work) for kind in ("paper", "e-book")]
        )
    for number, person in enumerate(people):
        shelves = [
            Shelf.objects.create(user=person, name=name, identifier=name) for name in ("to-read", "read", "stopped-reading")
        ]
        for place, printed in enumerate(rng.sample(editions[subjects[number % 3]], 9)):
            book = rng.choice(printed)
            ShelfBook.objects.create(book=book, shelf=shelves[place % 3 if place < 6 else 1], user=person)
            if place < 4:
                Review.objects.create(user=person, book=book, rating=rng.choice([3, 4, 5]), deleted=place == 3)
            if place == 4:
                Boost.objects.create(user=person, boosted=book.parent_work)
    UserBlocks.objects.create(user_subject=people[0], user_object=people[1])
