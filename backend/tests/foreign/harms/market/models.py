"""Offers that people like. A draft is not shown."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class Offer(models.Model):
    title = models.CharField(max_length=100)
    is_published = models.BooleanField(default=True)

    def get_absolute_url(self):
        return f"/offer/{self.pk}/"


class Like(models.Model):
    offer = models.ForeignKey(Offer, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    created_at = models.DateTimeField(default=timezone.now)
