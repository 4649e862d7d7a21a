"""Settings of a shop as Oscar's own sandbox writes them, with ATOMIC_REQUESTS, and Tandem added at the end."""

import os
from pathlib import Path

import oscar
from oscar.defaults import *  # noqa: F403 - Oscar's documentation asks for it

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "a-shop-for-tests-and-nothing-else-000000000000000000"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "mysite.urls"
INSTALLED_APPS = [*oscar.INSTALLED_APPS, "sorl.thumbnail"]
SITE_ID = 1
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3", "ATOMIC_REQUESTS": True}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware",
    "oscar.apps.basket.middleware.BasketMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "mysite" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
                "oscar.apps.search.context_processors.search_form",
                "oscar.apps.checkout.context_processors.checkout",
                "oscar.apps.communication.notifications.context_processors.notifications",
                "oscar.core.context_processors.metadata",
            ]
        },
    }
]
AUTHENTICATION_BACKENDS = ["oscar.apps.customer.auth_backends.EmailBackend", "django.contrib.auth.backends.ModelBackend"]
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
STATIC_URL, STATIC_ROOT, MEDIA_ROOT = "/static/", BASE_DIR / "static", BASE_DIR / "media"
USE_TZ, TIME_ZONE, LANGUAGE_CODE = True, "Europe/London", "en-gb"
OSCAR_INITIAL_ORDER_STATUS = OSCAR_INITIAL_LINE_STATUS = "Pending"

# What a reader of docs/guides/shop.md adds
INSTALLED_APPS += ["tandem"]
TANDEM = {
    "SIGNING_KEYS": os.environ.get("RS_SIGNING_KEYS", ""),
    "SERVICE_URL": f"http://127.0.0.1:{os.environ.get('RS_PORT', '5000')}",
}
