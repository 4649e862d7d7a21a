"""Tandem's cache, as `django.core.cache.cache` is the site's default cache."""

from django.core.cache import caches
from django.utils.connection import ConnectionProxy

cache = ConnectionProxy(caches, "tandem")
