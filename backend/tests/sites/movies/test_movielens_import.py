"""Releases in all four layouts, with lines that are wrong; and newcomers cut to exact counts."""

import random
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from recommendation_service.errors import DatasetError
from recommendation_service.use_cases.loader import load
from sites.movies.models import Movie, Viewer
from sites.movies.movielens_import import NEWCOMER_COUNTS
from sites.movies.movielens_reader import Release, read_release
from tandem.models import UserInteraction
from tandem.selectors.history import count_of, history_of

TIME = 881_250_949


def typed(folder: Path) -> None:
    (folder / "tiny.inter").write_text(
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
        f"1\t10\t5\t{TIME}\n"
        f"1\t11\tmany\t{TIME}\n"  # line 3: no number
        f"2\t10\t2\t{TIME + 5}\n"
        f"2\t99\t4\t{TIME}\n"  # line 5: no such film
        "2\t11\n"  # line 6: too short
        f"1\t10\t4\t{TIME + 9}\n"  # line 7: rated already
        f"2\t11\t9\t{TIME}\n"  # line 8: too many stars
        f"../x\t11\t4\t{TIME}\n",  # line 9: no id
        encoding="utf-8",
    )
    (folder / "tiny.item").write_text(
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        "10\tToy Story\t1995\tAnimation Children's Comedy\n"
        "11\tFour Rooms\tV\tunknown\n",
        encoding="utf-8",
    )
    (folder / "tiny.user").write_text(
        "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n1\t24\tM\ttechnician\t85711\n2\told\tF\tother\t9\n",
        encoding="utf-8",
    )


def csv(folder: Path) -> None:
    (folder / "ratings.csv").write_text(
        f"userId,movieId,rating,timestamp\n1,10,4.5,{TIME}\n2,11,0.5,{TIME}\n2,10,6,{TIME}\n", encoding="utf-8"
    )
    (folder / "movies.csv").write_bytes(
        b'movieId,title,genres\n10,"Am\xc3\xa9lie, or so (2001)",Comedy|Romance\n11,Nameless,(no genres listed)\n'
        b"12,\xff (1999),Drama\n"
    )


def classic(folder: Path) -> None:
    flags = ["0"] * 19
    flags[5] = flags[8] = "1"
    (folder / "u.data").write_text(f"1\t10\t5\t{TIME}\n1\t12\t5\t{TIME}\n", encoding="latin-1")
    (folder / "u.item").write_text(
        f"10|Misérables, Les (1995)|01-Jan-1995||http://x/|{'|'.join(flags)}\nbad line\n", encoding="latin-1"
    )
    (folder / "u.user").write_text("1|24|M|technician|85711\n", encoding="latin-1")


def one_million(folder: Path) -> None:
    (folder / "ratings.dat").write_text(f"1::10::5::{TIME}\n1::10::5\n", encoding="latin-1")
    (folder / "movies.dat").write_text("10::Ran: A Film (1985)::Drama|War\n", encoding="latin-1")
    (folder / "users.dat").write_text("1::F::1::10::48067\n2::M::33::4::1\n", encoding="latin-1")


def _read(make: Callable[[Path], None], folder: Path) -> Release:
    make(folder)
    return read_release(folder)


def _bad(release: Release) -> dict[tuple[str, int], str]:
    return {(row.file, row.line): row.reason for row in release.bad}


def test_the_typed_layout_is_read_and_bad_lines_are_named(tmp_path: Path) -> None:
    release = _read(typed, tmp_path)
    assert [(rating.user_id, rating.item_id, rating.stars) for rating in release.ratings] == [
        ("1", "10", 5.0),
        ("2", "10", 2.0),
    ]
    assert release.ratings[0].time.timestamp() == TIME
    assert release.films["10"].title == "Toy Story (1995)"
    assert release.films["10"].genres == ("Animation", "Children's", "Comedy")
    assert (release.films["11"].title, release.films["11"].year, release.films["11"].genres) == ("Four Rooms", None, ())
    bad = _bad(release)
    assert set(bad) == {("tiny.inter", line) for line in (3, 5, 6, 7, 8, 9)} | {("tiny.user", 3)}
    assert bad["tiny.inter", 3] == "stars 'many' is not a number"
    assert bad["tiny.inter", 5] == "film 99 is not in the film file"
    assert bad["tiny.inter", 6] == "has 2 columns; 4 are needed"
    assert "earlier line" in bad["tiny.inter", 7]
    assert "0.5 to 5" in bad["tiny.inter", 8]
    assert "must begin with" in bad["tiny.inter", 9]


def test_the_csv_layout_is_read_and_bad_lines_are_named(tmp_path: Path) -> None:
    release = _read(csv, tmp_path)
    assert [rating.stars for rating in release.ratings] == [4.5, 0.5]
    assert release.films["10"].title == "Amélie, or so (2001)"
    assert release.films["10"].year == 2001
    assert release.films["11"].genres == ()
    assert _bad(release) == {
        ("movies.csv", 4): "is not UTF-8 text",
        ("ratings.csv", 4): "stars are 6; 0.5 to 5 are allowed",
    }


def test_the_classic_layout_is_read_and_bad_lines_are_named(tmp_path: Path) -> None:
    release = _read(classic, tmp_path)
    assert release.films["10"].title == "Misérables, Les (1995)"
    assert release.films["10"].genres == ("Comedy", "Drama")
    assert (release.raters["1"].age_band, release.raters["1"].occupation) == ("20s", "technician")
    assert set(_bad(release)) == {("u.item", 2), ("u.data", 2)}


def test_the_1m_layout_is_read_and_bad_lines_are_named(tmp_path: Path) -> None:
    release = _read(one_million, tmp_path)
    assert release.films["10"].title == "Ran: A Film (1985)"
    assert (release.raters["1"].age_band, release.raters["1"].occupation) == ("under 18", "school student")
    assert set(_bad(release)) == {("users.dat", 2), ("ratings.dat", 2)}


def test_a_folder_without_a_release_is_refused_with_the_known_layouts(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"ratings\.csv, movies\.csv"):
        read_release(tmp_path)


def test_a_release_without_its_films_is_refused(tmp_path: Path) -> None:
    csv(tmp_path)
    (tmp_path / "movies.csv").unlink()
    with pytest.raises(DatasetError, match=r"movies\.csv"):
        read_release(tmp_path)


def test_a_release_without_one_readable_rating_is_refused(tmp_path: Path) -> None:
    one_million(tmp_path)
    (tmp_path / "ratings.dat").write_text("1::10::x::1\n", encoding="utf-8")
    (tmp_path / "users.dat").unlink()
    with pytest.raises(DatasetError, match=r"the first bad line is ratings\.dat:1"):
        read_release(tmp_path)


def _crowd(folder: Path, people: int, films: int = 60) -> None:
    """People who joined one after another; each rates every film, about six in ten with 4 or 5 stars."""
    chance = random.Random(5)  # noqa: S311 - a made-up crowd, no secret
    genres = ["Drama", "Comedy", "War"]
    (folder / "movies.csv").write_text(
        "movieId,title,genres\n" + "".join(f"{film},Film {film} (1990),{genres[film % 3]}\n" for film in range(films))
    )
    lines = ["userId,movieId,rating,timestamp"]
    for person in range(people):
        for place, film in enumerate(chance.sample(range(films), films)):
            stars = 5 if film % 3 == person % 3 else chance.choice((1, 3, 4))
            lines.append(f"{person},{film},{stars},{TIME + person * 10_000 + place}")
    (folder / "ratings.csv").write_text("\n".join(lines) + "\n")


def _load(folder: Path, *more: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("load_movielens", str(folder), *more, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.mark.django_db
class TestTheCommand:
    def test_newcomers_are_the_last_joined_cut_to_exact_counts(self, tmp_path: Path) -> None:
        _crowd(tmp_path, people=12)
        out, _ = _load(tmp_path, "--newcomers", "7")
        use_case = load("movies")
        for place, person in enumerate(range(5, 12)):
            events, _ = history_of(user_id=str(person), catalogue="movies")
            assert count_of(events, use_case) == NEWCOMER_COUNTS[place]
        assert UserInteraction.objects.filter(user__user_id="4").count() == 60
        assert "7 of the last-joined people were cut back" in out
        assert out.splitlines()[-1] == "next: manage.py generate_all_datasets"

    def test_newcomers_ticked_what_they_went_on_to_like(self, tmp_path: Path) -> None:
        _crowd(tmp_path, people=12)
        _load(tmp_path, "--newcomers", "7")
        for viewer in Viewer.objects.filter(pk__in=[str(person) for person in range(5, 12)]):
            assert viewer.favourite_genres[0] == ["Drama", "Comedy", "War"][int(viewer.pk) % 3]
            assert viewer.is_demo

    def test_no_newcomers_loads_everything(self, tmp_path: Path) -> None:
        _crowd(tmp_path, people=3)
        _load(tmp_path, "--newcomers", "0")
        assert UserInteraction.objects.count() == 180
        assert not Viewer.objects.exclude(favourite_genres=[]).exists()

    def test_too_few_candidates_are_said(self, tmp_path: Path) -> None:
        _crowd(tmp_path, people=3)
        _, err = _load(tmp_path, "--newcomers", "5")
        assert "only 3 people have the 25 liked films" in err

    def test_bad_lines_are_told_and_the_rest_is_loaded(self, tmp_path: Path) -> None:
        typed(tmp_path)
        out, err = _load(tmp_path)
        assert "left out tiny.inter:3: stars 'many' is not a number" in err
        assert "7 lines left out" in out
        assert Movie.objects.count() == 2
        assert Viewer.objects.get(pk="1").label == "Viewer 1, technician, 20s"
        assert Viewer.objects.get(pk="2").label == "Viewer 2"

    def test_stars_are_kept_as_the_value(self, tmp_path: Path) -> None:
        csv(tmp_path)
        _load(tmp_path)
        rows = UserInteraction.objects.order_by("user__user_id").values_list("kind__name", "value")
        assert list(rows) == [("rate", 4.5), ("rate", 0.5)]

    def test_a_second_load_needs_reset_and_then_replaces(self, tmp_path: Path) -> None:
        csv(tmp_path)
        _load(tmp_path)
        with pytest.raises(CommandError, match="--reset"):
            _load(tmp_path)
        _load(tmp_path, "--reset")
        assert UserInteraction.objects.count() == 2

    def test_a_failure_half_way_leaves_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        csv(tmp_path)

        def full(**_: object) -> int:
            raise OSError("disk full")

        monkeypatch.setattr("sites.movies.movielens_import.write_past", full)
        with pytest.raises(OSError, match="disk full"):
            _load(tmp_path)
        assert not Movie.objects.exists()

    def test_no_folder_is_one_line_that_tells_the_fix(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="known layouts are"):
            _load(tmp_path / "nowhere")
        with pytest.raises(CommandError, match="negative"):
            _load(tmp_path, "--newcomers", "-1")
