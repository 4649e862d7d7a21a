"""Fill the school: three subjects, and people who learn one of them in every form."""

import random

from django.contrib.auth.models import User
from django.db import transaction
from school.models import Article, ArticleView, Course, Enrollment, Video, VideoWatch

WORDS = {"python": "loops classes types tests", "cooking": "bread soup oven knife", "music": "chords rhythm scale piano"}
rng, subjects = random.Random(5), list(WORDS)  # noqa: S311 - made-up data
with transaction.atomic():
    made = {kind: {subject: [] for subject in subjects} for kind in ("course", "article", "video")}
    for number in range(30):
        subject = subjects[number % 3]
        text = " ".join(rng.choices(WORDS[subject].split(), k=8))
        made["course"][subject].append(Course.objects.create(title=f"Course {number}", description=text, subject=subject))
        made["article"][subject].append(Article.objects.create(headline=f"Article {number}", body=text, subject=subject))
        made["video"][subject].append(
            Video.objects.create(title=f"Video {number} {text}", subject=subject, members_only=number % 5 == 0)
        )
    Course.objects.create(title="Draft", description="later", subject="python", is_published=False)
    for number in range(45):
        user = User.objects.create(username=f"s{number}", email=f"s{number}@example.org")
        subject = subjects[number % 3]
        for course in rng.sample(made["course"][subject], 3):
            status = rng.choice(["enrolled", "completed", "completed", "dropped"])
            Enrollment.objects.create(course=course, student=user, status=status)
        for article in rng.sample(made["article"][subject], 4):
            ArticleView.objects.create(article=article, user=user)
        for video in rng.sample(made["video"][subject], 4):
            VideoWatch.objects.create(video=video, user=user)
