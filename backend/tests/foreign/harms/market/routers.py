"""Tandem's tables in a database of their own."""


class EventsRouter:
    def db_for_read(self, model, **hints):
        return "events" if model._meta.app_label == "tandem" else None

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, **hints):
        return (db == "events") == (app_label == "tandem")
