"""A school: courses that people enroll in, articles that they read and videos that they watch."""

from django.conf import settings
from django.db import models
from django.utils import timezone

USER = settings.AUTH_USER_MODEL


class Course(models.Model):
    title = models.CharField(max_length=100)
    description = models.TextField()
    subject = models.CharField(max_length=40)
    published_at = models.DateTimeField(default=timezone.now)
    is_published = models.BooleanField(default=True)

    def get_absolute_url(self):
        return f"/course/{self.pk}/"


class Enrollment(models.Model):
    course = models.ForeignKey(Course, on_delete=models.CASCADE)
    student = models.ForeignKey(USER, on_delete=models.CASCADE)
    status = models.CharField(max_length=20, choices=[(each, each) for each in ("enrolled", "completed", "dropped")])
    created_at = models.DateTimeField(default=timezone.now)


class Article(models.Model):
    headline = models.CharField(max_length=100)
    body = models.TextField()
    subject = models.CharField(max_length=40)
    published_at = models.DateTimeField(default=timezone.now)

    def get_absolute_url(self):
        return f"/article/{self.pk}/"


class ArticleView(models.Model):
    article = models.ForeignKey(Article, on_delete=models.CASCADE)
    user = models.ForeignKey(USER, on_delete=models.CASCADE)
    created_at = models.DateTimeField(default=timezone.now)


class Video(models.Model):
    title = models.CharField(max_length=100)
    subject = models.CharField(max_length=40)
    members_only = models.BooleanField(default=False)
    published_at = models.DateTimeField(default=timezone.now)

    def get_absolute_url(self):
        return f"/video/{self.pk}/"


class VideoWatch(models.Model):
    video = models.ForeignKey(Video, on_delete=models.CASCADE)
    user = models.ForeignKey(USER, on_delete=models.CASCADE)
    created_at = models.DateTimeField(default=timezone.now)
