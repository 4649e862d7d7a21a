"""`manage.py reset_sequences`: after rows with keys of their own, the next row gets a free key."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from sites.cleaning.models import Client

pytestmark = pytest.mark.django_db
POSTGRES = connection.vendor == "postgresql"


def run(*apps: str) -> str:
    said = StringIO()
    call_command("reset_sequences", *apps, stdout=said)
    return said.getvalue()


@pytest.mark.skipif(POSTGRES, reason="SQLite's own sentence; the others are of PostgreSQL")
def test_on_sqlite_there_is_nothing_to_do_and_it_says_so() -> None:
    assert run() == "nothing to reset: SQLite takes the next free key of cleaning by itself\n"


@pytest.mark.skipif(not POSTGRES, reason="only PostgreSQL has sequences; run with DATABASE_URL=postgres://...")
def test_on_postgresql_it_sets_the_sequence_of_every_numbered_table() -> None:
    assert run() == "11 sequences of cleaning stand past the largest key\n"


def test_the_next_row_gets_the_key_after_the_largest() -> None:
    newest = Client.objects.create(name="Maria").pk  # wherever other tests have moved the sequence to
    Client.objects.bulk_create([Client(pk=newest + step, name="Nikos") for step in (1, 2, 40)])
    if POSTGRES:
        with pytest.raises(IntegrityError), transaction.atomic():
            Client.objects.create(name="Eleni")  # the sequence still stands at the newest
    run()
    assert Client.objects.create(name="Eleni").pk == newest + 41


def test_other_apps_can_be_named() -> None:
    User.objects.bulk_create([User(pk=30, username="nikos")])
    run("auth", "cleaning")
    assert User.objects.create(username="eleni").pk == 31


def test_an_empty_table_begins_at_one() -> None:
    run()
    assert Client.objects.create(name="Eleni").pk >= 1


def test_running_it_twice_changes_nothing() -> None:
    Client.objects.bulk_create([Client(pk=7, name="Nikos")])
    assert run() == run()
    assert Client.objects.create(name="Eleni").pk == 8


def test_an_app_that_there_is_not_is_answered_with_those_there_are() -> None:
    with pytest.raises(CommandError, match=r"there is no app 'cleanin'; there are .*cleaning, "):
        run("cleanin")
