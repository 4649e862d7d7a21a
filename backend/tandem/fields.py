"""Model fields of Tandem's own tables, and their order in time."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db.models import DateTimeField, F
from django.db.models.expressions import OrderBy
from django.utils import timezone


class UtcDateTimeField(DateTimeField):  # type: ignore[type-arg]  # Django's own class takes no arguments
    """A time that is stored in UTC and read as an aware time, also in a site with USE_TZ=False.

    Its column and its migrations are those of a DateTimeField.
    """

    def deconstruct(self) -> Any:
        """Return what migrations write: a DateTimeField."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.DateTimeField", args, kwargs

    def get_prep_value(self, value: Any) -> Any:
        """A time without a zone is in the site's TIME_ZONE."""
        value = self.to_python(value)
        if isinstance(value, datetime):
            value = value if value.tzinfo else value.replace(tzinfo=timezone.get_default_timezone())
            return value.astimezone(UTC)
        return value

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Databases without time zones refuse an aware time while USE_TZ is False."""
        value = value if prepared else self.get_prep_value(value)
        if isinstance(value, datetime) and not settings.USE_TZ and connection.vendor != "postgresql":
            value = value.replace(tzinfo=None)
        return super().get_db_prep_value(value, connection, prepared=True)

    def from_db_value(self, value: Any, _expression: Any, connection: Any) -> Any:
        """PostgreSQL gives times without a zone in the connection's zone, other databases as they are stored."""
        if isinstance(value, datetime) and value.tzinfo is None:
            zone = timezone.get_default_timezone() if connection.vendor == "postgresql" else UTC
            return value.replace(tzinfo=zone).astimezone(UTC)
        return value


class NewestFirst(OrderBy):
    """Orders by a time, the newest first and unknown times (NULL) last, in every database.

    SQLite and MariaDB sort NULL so by themselves. PostgreSQL does not, and its index needs the same words as the query.
    """

    def __init__(self, name: str) -> None:
        """`name` is that of the field."""
        super().__init__(F(name), descending=True)

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        """Return SQL that names the place of NULL."""
        nulls = "LAST" if self.descending else "FIRST"
        return self.as_sql(compiler, connection, template=f"%(expression)s %(ordering)s NULLS {nulls}")
