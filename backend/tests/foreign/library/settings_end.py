# What the library had before Tandem
INSTALLED_APPS += ["books"]
AUTH_USER_MODEL = "books.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
