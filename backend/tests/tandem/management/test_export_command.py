"""The export commands end an expected failure with one line that tells the fix."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from recommendation_service.datasets.reader import Dataset
from sites.startups.models import Startup
from tandem.sources import catalogues_of
from tests.support.board import make_startups

pytestmark = pytest.mark.django_db


def test_a_database_without_items_names_a_command_that_adds_some(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no catalogue has items; add some"):
        call_command("generate_all_datasets", output=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_database_without_tables_is_told_to_migrate(tmp_path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {Startup._meta.db_table} RENAME TO away")
    with pytest.raises(CommandError, match=r"the database cannot be read: .+ run: manage\.py migrate"):
        call_command("generate_all_datasets", output=tmp_path)


def test_an_unknown_catalogue_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"movies, .*startups"):
        call_command("generate_als_dataset", catalogue=["startup"], output=tmp_path)


def test_the_name_of_a_use_case_means_all_its_catalogues(tmp_path: Path) -> None:
    assert catalogues_of(["cleaning", "startups", "jobs"]) == ["cleaners", "jobs", "startups"]
    assert catalogues_of(["nowhere"]) == ["nowhere"]


def test_a_catalogue_that_cannot_be_exported_leaves_the_others_theirs(tmp_path: Path) -> None:
    make_startups(1)
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"^movies: no items; add some, or widen the queryset of its ItemSource$"):
        call_command("generate_all_datasets", catalogue=["movies", "startups"], output=tmp_path, stdout=out)
    assert "  not exported: movies: no items" in out.getvalue()
    assert len(Dataset.open(tmp_path, "startups").catalogue()) == 1
    assert "next:" not in out.getvalue()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    make_startups(1)
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="choose another folder with --output"):
        call_command("generate_all_datasets", catalogue=["startups"], output=tmp_path / "file")
