"""The demo as values: what it would do, before anything is done."""

from pathlib import Path

import pytest

from demo.management.commands.take_picture import PICTURE
from demo.plan import ROOT, SEEDED, movies, plan, seeded
from recommendation_service.errors import ConfigurationError
from recommendation_service.use_cases.loader import load


def test_everything_a_demo_writes_is_under_its_own_folder(tmp_path: Path) -> None:
    whole = plan(seeded(["startups"]), port=8000, service_port=5000, environ={}, root=tmp_path)
    assert whole.folder == tmp_path / ".demo" / "startups"
    for name in ("RS_DATA_DIR", "RS_MODELS_DIR", "RS_LOG_FILE"):
        assert Path(whole.environment[name]).is_relative_to(whole.folder)
    assert whole.environment["DATABASE_URL"] == f"sqlite:///{whole.folder}/site.sqlite3"


def test_a_given_database_is_used_by_both_halves(tmp_path: Path) -> None:
    given = {"DATABASE_URL": "postgres://someone@127.0.0.1/site", "CACHE_URL": "redis://127.0.0.1/3"}
    environment = plan(seeded(["startups"]), port=8000, service_port=5000, environ=given, root=tmp_path).environment
    assert environment["DATABASE_URL"] == environment["RS_DATABASE_URL"] == given["DATABASE_URL"]
    assert environment["CACHE_URL"] == given["CACHE_URL"]


def test_keys_are_new_each_time_and_on_no_command_line(tmp_path: Path) -> None:
    first, second = (plan(seeded(["startups"]), port=8000, service_port=5000, environ={}, root=tmp_path) for _ in range(2))
    for name in ("SECRET_KEY", "RS_SIGNING_KEYS", "DEMO_STAFF_PASSWORD"):
        assert first.environment[name] != second.environment[name]
        commands = [one for stage in (*first.prepare, *first.always) for one in stage.commands] + [
            server.command for server in first.servers
        ]
        assert not any(first.environment[name] in word for command in commands for word in command)


def test_the_halves_find_each_other_on_other_ports(tmp_path: Path) -> None:
    whole = plan(seeded(["startups"]), port=8123, service_port=5123, environ={}, root=tmp_path)
    assert [server.ready for server in whole.servers] == ["http://127.0.0.1:5123/readyz", "http://127.0.0.1:8123/readyz"]
    assert whole.environment["RECOMMENDATION_SERVICE_URL"] == "http://127.0.0.1:5123"
    assert whole.environment["RS_PORT"] == "5123"
    assert "127.0.0.1:8123" in whole.servers[1].command


def test_a_movielens_folder_gives_the_movies_site_only(tmp_path: Path) -> None:
    whole = plan([movies(tmp_path)], port=8000, service_port=5000, environ={}, root=tmp_path)
    assert whole.environment["RS_USE_CASES"] == "movies"
    words = [word for stage in whole.prepare for one in stage.commands for word in one]
    assert str(tmp_path) in words
    assert "generate_startups_data" not in words


def test_a_folder_that_is_not_there_is_said_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is not a folder"):
        movies(tmp_path / "nowhere")


def test_without_names_every_seeded_site_is_shown_and_trained(tmp_path: Path) -> None:
    whole = plan(seeded(), port=8000, service_port=5000, environ={}, root=tmp_path)
    assert whole.environment["RS_USE_CASES"] == ",".join(SEEDED)
    (training,) = [stage for stage in whole.prepare if stage.name == "train"]
    assert [command[command.index("--use-case") + 1] for command in training.commands] == list(SEEDED)


def test_every_seeded_site_is_a_use_case_and_its_list_is_about_one_of_its_catalogues() -> None:
    for name, site in SEEDED.items():
        assert (site.newest or name) in load(name).catalogues
        assert site.path.count("{}") == 1


def test_the_marketplace_is_filled_exported_and_trained_beside_the_others(tmp_path: Path) -> None:
    whole = plan(seeded(["cleaning"]), port=8000, service_port=5000, environ={}, root=tmp_path)
    assert [stage.name for stage in whole.prepare] == ["tables", "fill-cleaning", "export", "train"]
    told = [" ".join(stage.commands[0][2:]) for stage in whole.prepare[1:3]]
    assert told == ["generate_training_data --reset", "generate_all_datasets --catalogue cleaning"]


def test_a_site_that_there_is_not_is_answered_with_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match="names 'shopp'; there are startups"):
        seeded(["shopp"])


def test_the_picture_goes_where_the_readme_shows_it() -> None:
    shown = PICTURE.relative_to(ROOT).as_posix()
    assert PICTURE.is_file()
    assert f"]({shown})" in (ROOT / "README.md").read_text()
