"""Fill the blog: posts in two languages, some of them private or drafts, and readers with tastes."""

import random

from blog.models import BlogPage, Bookmark, PageView
from django.contrib.auth import get_user_model
from django.db import transaction
from wagtail.models import Locale, Page, PageViewRestriction, Site

WORDS = {
    "cooking": "oven bread flour yeast pan salt soup stew",
    "cycling": "wheel chain gear hill helmet ride brake road",
    "music": "chord piano tempo song drum bass melody choir",
}
rng = random.Random(5)  # noqa: S311 - made-up data
with transaction.atomic():
    site = Site.objects.first()
    home = Page.objects.get(pk=site.root_page_id) if site else Page.objects.get(depth=2)
    french = Locale.objects.create(language_code="fr")
    home.copy_for_translation(french)
    posts = {}
    for name, words in WORDS.items():
        for number in range(16):
            chosen = rng.sample(words.split(), 3)
            post = BlogPage(
                title=f"{name.title()} {chosen[0]} {number}", intro=f"On {chosen[1]} and {chosen[2]}", slug=f"{name}-{number}"
            )
            post.body = f"<p>{' '.join(rng.choices(words.split(), k=20))}</p>"
            home.add_child(instance=post)
            post.tags.add(name)
            post.live = number != 15
            post.save()
            posts.setdefault(name, []).append(post)
            if number == 14:
                PageViewRestriction.objects.create(page=post, restriction_type="login")
            if number < 4:
                translated = post.copy_for_translation(french)
                translated.title = f"FR {post.title}"
                translated.live = True
                translated.save()
    User = get_user_model()
    for place in range(60):
        reader = User.objects.create_user(f"r{place}", f"r{place}@example.org")
        liked = posts[list(WORDS)[place % 3]]
        for post in rng.sample(liked, 8):
            PageView.objects.create(reader=reader, page=post)
        PageView.objects.create(reader=reader, page=home)
        PageView.objects.create(reader=None, page=liked[0])
        for post in rng.sample(liked, 3):
            Bookmark.objects.create(reader=reader, post=post)
