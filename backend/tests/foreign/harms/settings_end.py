# What the site had before Tandem: two databases or PostgreSQL, a transaction for each request, packages named as ours were
INSTALLED_APPS += ["market", "api", "recommendations"]
DATABASES["default"]["ATOMIC_REQUESTS"] = True
if os.environ.get("SITE_POSTGRES"):
    DATABASES["default"] |= {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["SITE_POSTGRES"],
        "USER": os.environ["SITE_USER"],
        "HOST": os.environ["SITE_HOST"],
        "PORT": os.environ["SITE_PORT"],
        "PASSWORD": os.environ["SITE_PASSWORD"],
    }
if os.environ.get("SITE_ROUTER"):
    DATABASES["events"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "events.sqlite3"}
    DATABASE_ROUTERS = ["market.routers.EventsRouter"]
if os.environ.get("SITE_REDIS"):
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": os.environ["SITE_REDIS"]}}
if os.environ.get("SITE_FILES"):
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": BASE_DIR / "cache"}}
USE_TZ = not os.environ.get("SITE_NAIVE")
TIME_ZONE = "America/New_York"
