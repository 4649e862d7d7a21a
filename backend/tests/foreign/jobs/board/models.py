"""A job board: members save jobs and apply for them."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class Company(models.Model):
    name = models.CharField(max_length=100)


class Job(models.Model):
    company = models.ForeignKey(Company, on_delete=models.CASCADE)
    title = models.CharField(max_length=100)
    description = models.TextField()
    sector = models.CharField(max_length=40)
    posted_at = models.DateTimeField(default=timezone.now)
    is_open = models.BooleanField(default=True)

    def get_absolute_url(self):
        return f"/job/{self.pk}/"


class Member(models.Model):
    account = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    saved_jobs = models.ManyToManyField(Job)


class Application(models.Model):
    job = models.ForeignKey(Job, on_delete=models.CASCADE)
    candidate = models.ForeignKey(Member, on_delete=models.CASCADE)
    status = models.CharField(max_length=20, choices=[("sent", "Sent"), ("cancelled", "Cancelled")], default="sent")
    applied_at = models.DateTimeField(default=timezone.now)
