"""A social library: works and their editions, shelves, reviews, boosts and blocks. People have addresses as keys."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone


class User(AbstractUser):
    id = models.CharField(primary_key=True, max_length=255)  # https://example.org/user/name
    blocks = models.ManyToManyField("self", symmetrical=False, through="UserBlocks", related_name="blocked_by")


class UserBlocks(models.Model):
    user_subject = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    user_object = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")


class Book(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    title = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    subjects = models.JSONField(default=list)
    created_date = models.DateTimeField(default=timezone.now)


class Work(Book):
    added_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    deleted = models.BooleanField(default=False)

    def get_absolute_url(self):
        return f"/work/{self.pk}/"


class Edition(Book):
    parent_work = models.ForeignKey(Work, null=True, on_delete=models.PROTECT, related_name="editions")
    isbn_13 = models.CharField(max_length=13, blank=True)


class Shelf(models.Model):
    name = models.CharField(max_length=100)
    identifier = models.CharField(max_length=100)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    books = models.ManyToManyField(Edition, through="ShelfBook", related_name="shelves")


class ShelfBook(models.Model):
    book = models.ForeignKey(Edition, on_delete=models.PROTECT)
    shelf = models.ForeignKey(Shelf, on_delete=models.PROTECT)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    shelved_date = models.DateTimeField(default=timezone.now)


class Status(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    content = models.TextField(blank=True)
    published_date = models.DateTimeField(default=timezone.now)
    deleted = models.BooleanField(default=False)


class Review(Status):
    book = models.ForeignKey(Edition, on_delete=models.CASCADE)
    rating = models.DecimalField(null=True, max_digits=3, decimal_places=2)


class Boost(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE)
    object_id = models.CharField(max_length=255)
    boosted = GenericForeignKey()
    created_date = models.DateTimeField(default=timezone.now)
