"""The log: its start-up lines, and that a broken disk never stops an answer."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from recommendation_service.tests.support import service
from recommendation_service.tests.support.service import bearer
from recommendation_service.web import log_output

PATH = "/api/recommendations/startups/for-developer/u001"


def test_the_start_says_what_was_loaded_and_how_users_are_routed(serve: Callable[..., FlaskClient], tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    service.publish_all(tmp_path)
    serve(RS_USE_CASES="startups")
    lines = [line.partition("] ")[2] for line in (tmp_path / "logs" / "app.log").read_text().splitlines()]
    assert lines == [
        "✓ Two-Tower model loaded successfully!",
        "✓ ALS model loaded successfully!",
        "✓ Ensemble model initialized successfully!",
        "→ Routing: cold start(<5) → content, warm(5-19) → ALS, hot(20+) → ensemble",
    ]


def test_the_routing_line_follows_the_settings(serve: Callable[..., FlaskClient], tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    serve(RS_USE_CASES="startups", COLD_START_THRESHOLD="3", WARM_USER_THRESHOLD="30")
    assert "cold start(<3) → content, warm(3-29) → ALS, hot(30+) → ensemble" in (tmp_path / "logs" / "app.log").read_text()


def test_what_is_missing_comes_with_its_fix(serve: Callable[..., FlaskClient], tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    serve(ENABLE_TWO_TOWER="false")
    text = (tmp_path / "logs" / "app.log").read_text()
    assert "✗ startups: no als model; run: tandem train all --use-case startups" in text
    assert "✗ movies: no export yet; run: manage.py generate_all_datasets" in text
    assert "two_tower is switched off" in text


def test_a_request_leaves_the_lines_of_the_acceptance_list(serve: Callable[..., FlaskClient], tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    service.publish_all(tmp_path)
    serve(ENV="dev").get(PATH, headers=bearer())
    text = (tmp_path / "logs" / "app.log").read_text()
    assert "[INFO] User u001 has 8 interactions" in text
    assert "[INFO] → Using ALS (warm user: 8 interactions)" in text


def test_a_log_folder_that_cannot_be_made_is_told_once_and_serving_goes_on(
    serve: Callable[..., FlaskClient], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.export_startups(tmp_path)
    (tmp_path / "in-the-way").write_text("a file, not a folder")
    client = serve(RS_LOG_FILE=str(tmp_path / "in-the-way" / "app.log"))
    assert client.get(PATH, headers=bearer()).status_code == 200
    assert capsys.readouterr().err.count("no log file") == 1


def test_a_full_disk_does_not_stop_answers(
    serve: Callable[..., FlaskClient], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.export_startups(tmp_path)
    (tmp_path / "app.log").symlink_to("/dev/full")
    client = serve(RS_LOG_FILE=str(tmp_path / "app.log"))
    for _ in range(3):
        assert client.get(PATH, headers=bearer()).status_code == 200
    assert capsys.readouterr().err.count("cannot be written") == 1
    assert serve().get(PATH, headers=bearer()).status_code == 200  # the broken file is let go without an error


def test_a_closed_stderr_does_not_stop_answers(
    serve: Callable[..., FlaskClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.export_startups(tmp_path)
    client = serve()
    with (tmp_path / "closed").open("w") as closed:
        monkeypatch.setattr("sys.stderr", closed)
    assert client.get(PATH, headers=bearer()).status_code == 200
    assert "User" in (tmp_path / "logs" / "app.log").read_text()


def test_a_line_is_formatted_once_for_all_outlets_and_never_reused(monkeypatch: pytest.MonkeyPatch) -> None:
    formatter = log_output.Utc(log_output.FORMAT, datefmt="%Y-%m-%dT%H:%M:%SZ")
    formatted: list[str] = []
    plain = logging.Formatter.formatMessage
    monkeypatch.setattr(logging.Formatter, "formatMessage", lambda *given: formatted.append("one") or plain(*given))
    records = [
        logging.makeLogRecord({"msg": text, "levelname": "INFO", "created": created})
        for text, created in (("first", 0.9), ("second", 0.95), ("third", 61.0))
    ]
    lines = [[formatter.format(record) for _ in range(2)] for record in records]
    assert lines == [
        ["1970-01-01T00:00:00Z [INFO] first"] * 2,
        ["1970-01-01T00:00:00Z [INFO] second"] * 2,
        ["1970-01-01T00:01:01Z [INFO] third"] * 2,
    ]
    assert len(formatted) == 3
