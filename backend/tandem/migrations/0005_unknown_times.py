"""The time of an interaction may be unknown; the index of histories sorts unknown times last."""

import tandem.fields
from django.db import migrations, models
from django.utils import timezone

NAME = "tandem_history"
COLUMNS = '"user_id", "catalogue_id", "time" DESC'


def unknown_last(apps, schema_editor):
    replace_index(schema_editor, f"{COLUMNS} NULLS LAST")


def as_before(apps, schema_editor):
    replace_index(schema_editor, COLUMNS)


def replace_index(schema_editor, columns):
    """Build the index again in PostgreSQL; in other databases it sorts unknown times last already."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX IF EXISTS {NAME}")
        schema_editor.execute(f"CREATE INDEX {NAME} ON tandem_userinteraction ({columns})")


class Migration(migrations.Migration):
    dependencies = [("tandem", "0004_not_mirrored")]

    operations = [
        migrations.AlterField(
            model_name="userinteraction",
            name="time",
            field=models.DateTimeField(blank=True, default=timezone.now, null=True),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex(model_name="userinteraction", name=NAME),
                migrations.AddIndex(
                    model_name="userinteraction",
                    index=models.Index("user", "catalogue", tandem.fields.NewestFirst("time"), name=NAME),
                ),
            ],
            database_operations=[migrations.RunPython(unknown_last, as_before)],
        ),
    ]
