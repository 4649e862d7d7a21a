"""Files of past interactions and of items: a damaged file writes nothing, bad rows by line, twice is once."""

import csv
import io
import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from sites.movies.models import Movie
from tandem.models import UserInteraction
from tandem.services import import_files

pytestmark = pytest.mark.django_db

RATINGS = """userId,movieId,rating,timestamp
u1,m1,4.5,1112486027
u2,m1,1.0,2005-04-02T23:53:47Z
"""
MAP = ("--map", "user=userId", "item=movieId", "value=rating", "time=timestamp")

BAD_ROWS = "=cmd()\u202e,m1,1,1112486027\nu3,m1,many,1112486027\nu4,,5,1112486027\nu5,m2,5,1112486027\n"


def run(command: str, path: Path, *options: str) -> list[str]:
    out = io.StringIO()
    call_command(command, str(path), "--catalogue", "movies", *options, stdout=out)
    return out.getvalue().splitlines()


def written(tmp_path: Path, text: str, name: str = "ratings.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_ratings_come_in_once(tmp_path: Path) -> None:
    path = written(tmp_path, RATINGS)
    assert "2 were written, 0 existed already, 0 refused" in run("import_interactions", path, *MAP, "--event", "rate")
    assert "0 were written, 2 existed already, 0 refused" in run("import_interactions", path, *MAP, "--event", "rate")
    found = UserInteraction.objects.order_by("user__user_id").values_list("user__user_id", "value", "kind__name")
    assert list(found) == [("u1", 4.5, "rate"), ("u2", 1.0, "rate")]
    assert len(set(UserInteraction.objects.values_list("time", flat=True))) == 1
    assert not path.with_name("ratings.csv.rejects.csv").exists()


def test_bad_rows_are_kept_with_line_and_reason(tmp_path: Path) -> None:
    path = written(tmp_path, RATINGS + BAD_ROWS)
    lines = run("import_interactions", path, *MAP, "--event", "rate")
    assert "3 were written, 0 existed already, 3 refused" in lines
    rejects = path.with_name("ratings.csv.rejects.csv")
    assert f"refused rows, each with its line and reason: {rejects}" in lines
    with rejects.open(encoding="utf-8", newline="") as file:
        refused = list(csv.DictReader(file))
    assert [(row["line"], row["field"]) for row in refused] == [("4", "user_id"), ("5", "value"), ("6", "item_id")]
    assert [row["userId"] for row in refused] == ["'=cmd()\u202e", "u3", "u4"]  # no spreadsheet runs the first


@pytest.mark.parametrize("nothing", ["NA", "NULL", "nan", "None", "undefined", " "])
def test_a_word_for_nothing_is_no_user(tmp_path: Path, nothing: str) -> None:
    path = written(tmp_path, RATINGS + f"{nothing},m1,4,1112486027\n")
    assert "2 were written, 0 existed already, 1 refused" in run("import_interactions", path, *MAP, "--event", "rate")
    assert set(UserInteraction.objects.values_list("user__user_id", flat=True)) == {"u1", "u2"}


def test_mended_rejects_can_be_imported(tmp_path: Path) -> None:
    path = written(tmp_path, RATINGS + "u3,m1,many,1112486027\n")
    run("import_interactions", path, *MAP, "--event", "rate")
    rejects = path.with_name("ratings.csv.rejects.csv")
    rejects.write_text(rejects.read_text(encoding="utf-8").replace("many", "-1.5"), encoding="utf-8")
    assert "1 were written, 0 existed already, 0 refused" in run("import_interactions", rejects, *MAP, "--event", "rate")


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    lines = run("import_interactions", written(tmp_path, RATINGS), *MAP, "--event", "rate", "--dry-run")
    assert "2 would be written, 0 existed already, 0 refused" in lines
    assert not UserInteraction.objects.exists()


@pytest.mark.parametrize("delimiter", ["\t", ";", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    path = written(tmp_path, RATINGS.replace(",", delimiter))
    assert "2 were written" in run("import_interactions", path, *MAP, "--event", "rate")[-2]


def test_parquet_and_a_column_for_the_event(tmp_path: Path) -> None:
    path = tmp_path / "past.parquet"
    columns = {"who": ["u1", "u2"], "what": [7, 8], "did": ["view", "stare"], "at": [1112486027, 1112486027]}
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    lines = run("import_interactions", path, "--map", "user=who", "item=what", "event=did", "time=at")
    assert "1 were written, 0 existed already, 1 refused" in lines
    assert UserInteraction.objects.get().item.item_id == "7"


def test_a_failure_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_files, "BATCH", 1)
    path = tmp_path / "broken.csv"
    path.write_bytes(RATINGS.encode() + b"u3,m\xff,5,1112486027\n")
    with pytest.raises(CommandError, match="UTF-8"):
        run("import_interactions", path, *MAP, "--event", "rate")
    assert not UserInteraction.objects.exists()


def _noted(done: list[str], mark: str, usual: Callable[[], None]) -> None:
    done.append(mark)
    usual()


def _statements_of(call: Callable[[], object]) -> list[str]:
    """What a call does to the database: I for rows that are inserted, C for a commit, R for a rollback."""
    done: list[str] = []

    def note(run: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith("INSERT INTO") and ("movies_movie" in sql or "tandem_userinteraction" in sql):
            done.append("I")
        return run(sql, *rest)

    with pytest.MonkeyPatch.context() as patch, connection.execute_wrapper(note):
        for name, mark in (("_commit", "C"), ("_rollback", "R")):
            usual = getattr(connection, name)
            patch.setattr(connection, name, partial(_noted, done, mark, usual))
        call()
    return done


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("command", ["import_interactions", "import_items"])
def test_other_writers_wait_for_no_more_than_one_short_transaction(tmp_path: Path, command: str) -> None:
    rows = "".join(f"u{number},m{number},5,1112486027\n" for number in range(1_000))
    path = written(tmp_path, "userId,movieId,rating,timestamp\n" + rows)
    options = ("--map", "id=movieId", "title=userId") if command == "import_items" else (*MAP, "--event", "rate")
    done = "".join(_statements_of(lambda: run(command, path, *options)))
    assert done.count("IC") >= 3  # a large insert is several statements on SQLite
    assert (Movie if command == "import_items" else UserInteraction).objects.count() == 1_000


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("command", ["import_interactions", "import_items"])
def test_an_import_that_was_stopped_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setattr(import_files, "BATCH", 1)
    path = written(tmp_path, RATINGS + "u3,m3,5,1112486027\nu4,m4,5,1112486027\n")
    options = ("--map", "id=userId", "title=movieId") if command == "import_items" else (*MAP, "--event", "rate")
    model = Movie if command == "import_items" else UserInteraction
    writes = itertools.count()

    def fail(run: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith("INSERT") and connection.ops.quote_name(model._meta.db_table) in sql and next(writes) == 2:
            raise KeyboardInterrupt
        return run(sql, *rest)

    with pytest.raises(KeyboardInterrupt), connection.execute_wrapper(fail):
        run(command, path, *options)
    assert model._default_manager.count() == 2
    lines = run(command, path, *options)
    assert model._default_manager.count() == 4
    if command == "import_interactions":
        assert "2 were written, 2 existed already, 0 refused" in lines


def test_a_dry_run_counts_what_the_import_would_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_files, "BATCH", 1)  # a row twice in the file, in two batches
    run("import_interactions", written(tmp_path, RATINGS.partition("u2")[0]), *MAP, "--event", "rate")
    path = written(tmp_path, RATINGS + RATINGS.partition("\n")[2] + "u3,,5,1112486027\n")
    foreseen = run("import_interactions", path, *MAP, "--event", "rate", "--dry-run")
    assert "1 would be written, 3 existed already, 1 refused" in foreseen
    assert UserInteraction.objects.count() == 1
    assert "1 were written, 3 existed already, 1 refused" in run("import_interactions", path, *MAP, "--event", "rate")


def test_a_dry_run_of_items_writes_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, "movieId,title\n1,Toy Story\n", "movies.csv")
    assert "1 would be written" in run("import_items", path, "--map", "id=movieId", "title=title", "--dry-run")[-2]
    assert not Movie.objects.exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--map", "user=userId"), "--map event=column|--event"),
        (("--map", "user=userId", "--event", "rate"), "--map item=column"),
        (("--map", "user=nobody"), "it has userId, movieId, rating, timestamp"),
        (("--map", "colour=userId"), "user|item|event"),
    ],
)
def test_a_wrong_mapping_tells_what_there_is(tmp_path: Path, options: tuple[str, ...], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        run("import_interactions", written(tmp_path, RATINGS), *options)


@pytest.mark.parametrize("name", ["missing.csv", "missing.parquet"])
def test_a_missing_file_is_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        run("import_interactions", tmp_path / name, *MAP)


def test_items_are_added_and_then_updated(tmp_path: Path) -> None:
    path = written(tmp_path, "movieId,title,genres\n1,Toy Story,Animation|Comedy\n2,Heat,\nundefined,Bad,\n", "movies.csv")
    columns = ("--map", "id=movieId", "title=title", "genres=genres")
    assert "2 were written, 0 existed already, 1 refused" in run("import_items", path, *columns)
    assert Movie.objects.get(pk="1").genres == ["Animation", "Comedy"]
    path.write_text("movieId,title,genres\n1,Toy Story 1,Animation\n", encoding="utf-8")
    run("import_items", path, *columns)
    assert list(Movie.objects.order_by("pk").values_list("title", "genres")) == [("Toy Story 1", ["Animation"]), ("Heat", [])]


@pytest.mark.parametrize(
    ("text", "reason"),
    [("movieId,title,year\n1,A,soon\n", "year"), ("movieId,title,year\n1," + "x" * 300 + ",1999\n", "title")],
)
def test_an_item_that_its_model_does_not_take_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = written(tmp_path, "movieId,title,year\n0,Heat,1995\n" + text.partition("\n")[2], "movies.csv")
    lines = run("import_items", path, "--map", "id=movieId", "title=title", "year=year")
    assert "1 were written, 0 existed already, 1 refused" in lines
    assert f"3,{reason}," in path.with_name("movies.csv.rejects.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["import_items", "import_interactions"])
def test_a_file_without_one_good_row_is_a_failure(tmp_path: Path, command: str) -> None:
    path = written(tmp_path, "who,what\na b,null\nc d,NaN\n")
    columns = ("--map", "id=what") if command == "import_items" else ("--map", "user=who", "item=what", "--event", "like")
    with pytest.raises(CommandError, match="every row was refused"):
        run(command, path, *columns)
    assert len(path.with_name("ratings.csv.rejects.csv").read_text(encoding="utf-8").splitlines()) == 3


def test_items_need_an_id(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--map id=column"):
        run("import_items", written(tmp_path, "title\nHeat\n", "movies.csv"), "--map", "title=title")


def test_a_use_case_that_is_not_there_is_told() -> None:
    out: Any = io.StringIO()
    with pytest.raises(CommandError, match=r"one of .*movies, .*startups"):
        call_command("import_interactions", "x.csv", "--use-case", "nowhere", stdout=out)
