"""What editors recommend: a table of the site."""

from django.db import models


class Recommendation(models.Model):
    text = models.CharField(max_length=100)
