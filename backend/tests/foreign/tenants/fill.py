"""Fill the help desk: three companies with the same topics, and members who read about one topic each."""

import random

from django.db import transaction
from helpdesk.models import Article, ArticleView, Bookmark, Membership, Organization, User

WORDS = {"billing": "invoice card refund tax", "network": "router cable signal port", "access": "login password role key"}
rng, topics = random.Random(3), list(WORDS)  # noqa: S311 - made-up data
with transaction.atomic():
    for name in ("alpha", "beta", "gamma"):
        company = Organization.objects.create(name=name)
        articles = {}
        for number in range(24):
            topic = topics[number % 3]
            text = " ".join(rng.choices(WORDS[topic].split(), k=10))
            article = Article.objects.create(organization=company, title=f"{name} {topic} {number}", body=text, topic=topic)
            articles.setdefault(topic, []).append(article)
        for number in range(20):
            user = User.objects.create(username=f"{name}{number}", email=f"{name}{number}@example.org")
            Membership.objects.create(organization=company, user=user)
            for article in rng.sample(articles[topics[number % 3]], 6):
                ArticleView.objects.create(article=article, user=user)
            for article in rng.sample(articles[topics[number % 3]], 2):
                Bookmark.objects.create(article=article, user=user)
            ArticleView.objects.create(article=article, user=None)
