"""Settings of every environment. SQLite and local memory by default, others by DATABASE_URL and CACHE_URL."""

from pathlib import Path
from typing import Any

import environ

from recommendation_service import __version__

BASE_DIR = Path(__file__).resolve().parents[2]
env = environ.Env()

SECRET_KEY = env.str("SECRET_KEY", default="")
DEBUG = False
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "tandem",
    "api",
    "demo",
    "storefront",
    "sites.startups",
    "sites.movies",
    "sites.shop",
    "sites.posts",
    "sites.courses",
    "sites.cleaning",
    "recommendations",
]

MIDDLEWARE = [
    "tandem.middleware.DatabaseUnavailable",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "api.middleware.SecurityHeaders",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'var' / 'tandem.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",  # a writer waits instead of failing within its transaction
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("CONN_MAX_AGE", 60)  # opening SQLite with its pragmas takes longer than a cached answer
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHE_URL = env.str("CACHE_URL", default="")
LOCAL_MEMORY = "django.core.cache.backends.locmem.LocMemCache"
CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": LOCAL_MEMORY, "LOCATION": "site"},
    "tandem": {"BACKEND": LOCAL_MEMORY, "LOCATION": "tandem", "OPTIONS": {"MAX_ENTRIES": 10_000}},
}
if CACHE_URL:
    CACHES["tandem"] = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        "OPTIONS": {
            "serializer": "tandem.cache.JSONSerializer",  # Django's own uses pickle
            "socket_timeout": 0.05,
            "socket_connect_timeout": 0.05,
        },
    }

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
MEDIA_URL = "/media/"
STATIC_ROOT = BASE_DIR / "staticfiles"
LOGIN_URL = "admin:login"

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["tandem.api.parsers.StrictJSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tandem.api.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "tandem.api.problem_details.problem_handler",
    "DEFAULT_THROTTLE_CLASSES": ["tandem.api.throttling.PerUser"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tandem",
    "DESCRIPTION": "Recommendations, interactions and feedback of the sites on this server.",
    "VERSION": __version__,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "StatusEnum": ("accepted", "duplicate", "rejected"),  # of a recorded row
        "JobStatusEnum": "sites.cleaning.models.CleaningJob.Status",
        "BidStatusEnum": "sites.cleaning.models.JobBid.Status",
        "PaymentStatusEnum": "sites.cleaning.models.Payment.Status",
        "ScoringModeEnum": "sites.cleaning.conf.MODES",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576

globals().update(env.email_url("EMAIL_URL", default="smtp://localhost:25"))  # EMAIL_BACKEND, EMAIL_HOST and so on
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="shop@localhost")

# the cleaning marketplace: how its two lists are scored
RECOMMENDATION_MODE = env.str("RECOMMENDATION_MODE", default="ensemble")  # or rule_based, or neural
if env.str("RECOMMENDATION_ENSEMBLE_WEIGHTS", default=""):  # unset: the weights of cleaning.toml, rules 0.6 and network 0.4
    RECOMMENDATION_ENSEMBLE_WEIGHTS: dict[str, float] = env.json("RECOMMENDATION_ENSEMBLE_WEIGHTS")
CLEANING_PLATFORM_FEE = env.float("CLEANING_PLATFORM_FEE", default=0.15)  # of what a client pays, 0 to 1
RECOMMENDATION_CACHE_TTL = env.int("RECOMMENDATION_CACHE_TTL", default=3600)  # seconds
RECOMMENDATION_MODELS_DIR = Path(
    env.str(
        "RECOMMENDATION_MODELS_DIR",
        default=env.str("RS_MODELS_DIR", default=str(BASE_DIR.parent / "recommendation_service" / "models")),
    )
)
RECOMMENDATION_ENGINE = "sites.cleaning.services.recommendations.RecommendationEngine"
RECOMMENDATION_SCORING = "sites.cleaning.scoring.service.ScoringService"

STOREFRONT_DEMO = False  # True lets the page act as any person; never in production

SERVICE = BASE_DIR.parent / "recommendation_service"
TANDEM: dict[str, Any] = {
    "SERVICE_URL": env.str("RECOMMENDATION_SERVICE_URL", default="http://127.0.0.1:5000"),
    "SIGNING_KEYS": env.str("RS_SIGNING_KEYS", default=""),
    "DEADLINE_S": env.float("RECOMMENDATION_DEADLINE_S", default=0.3),
    "CACHE_ALIAS": "tandem",
    "THROTTLE": env.str("THROTTLE_USER", default="600/min"),
    "TRUSTED_PROXIES": env.tuple("TRUSTED_PROXIES", default=()),
    "CACHE_SECONDS": env.int("RECOMMENDATION_CACHE_SECONDS", default=60),
    "DATA_DIR": env.str("RS_DATA_DIR", default=str(SERVICE / "data")),
    "MODELS_DIR": env.str("RS_MODELS_DIR", default=str(SERVICE / "models")),
    "USE_CASES_DIR": env.str("RS_USE_CASES_DIR", default=str(SERVICE / "use_cases")),
    # commands of each background job, in order; {use_case} is replaced, and Python runs "manage.py" and "-m"
    "RUNS": {
        "reindex": (
            ("manage.py", "generate_all_datasets", "--catalogue", "{use_case}"),
            ("-m", "recommendation_service.cli", "train", "two_tower", "--use-case", "{use_case}"),
            ("-m", "recommendation_service.cli", "index", "--use-case", "{use_case}"),
        )
    },
}

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False}},  # each 500 with its traceback
}
