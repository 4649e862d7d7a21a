"""Every service's own command of docker-compose.yml, run here as a process with the values that the compose file gives it."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from recommendation_service.tests.support.service import export_startups, publish_all
from tests.infra.place import ROOT

POSTGRES = os.environ.get("TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
GIVEN = {
    "SECRET_KEY": "s" * 50,
    "ALLOWED_HOSTS": "recommendations.example",
    "RS_SIGNING_KEYS": "one:" + "k" * 40,
    "POSTGRES_PASSWORD": "p",
    "REDIS_PASSWORD": "r",
}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def filled(value: str) -> str:
    """The value as compose would hand it over."""
    found = re.sub(r"\$\{(\w+)(?::\?[^}]*|:-([^}]*))?\}", lambda hit: GIVEN.get(hit[1], hit[2] or ""), value)
    return found.replace("$$", "$")


def environment_of(name: str, **more: str) -> dict[str, str]:
    """What the compose file gives that service, on this machine's places."""
    own = {variable: filled(str(value)) for variable, value in SERVICES[name]["environment"].items()}
    path = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'backend'}",
        "HOME": os.environ.get("HOME", "/"),
    }
    return {**path, **own, **more}


def command_of(name: str, port: int) -> list[str]:
    """That service's command, with this interpreter and another port."""
    words = [filled(word) for word in SERVICES[name]["command"]]
    return [sys.executable if word == "python" else word.replace("0.0.0.0:8000", f"127.0.0.1:{port}") for word in words]


def check_of(name: str, port: int) -> list[str]:
    words = SERVICES[name]["healthcheck"]["test"]
    assert words[0] == "CMD"
    return [sys.executable if word == "python" else word.replace(":5000", f":{port}") for word in words[1:]]


@contextmanager
def running(name: str, port: int, environment: dict[str, str], log: Path) -> Iterator[Callable[[], str]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command_of(name, port), env=environment, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield log.read_text
    finally:
        process.terminate()
        assert process.wait(20) in (0, -15)


def becomes_healthy(name: str, port: int, environment: dict[str, str]) -> bool:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        done = subprocess.run(check_of(name, port), cwd=ROOT, env=environment, capture_output=True, check=False)
        if done.returncode == 0:
            return True
        time.sleep(0.2)
    return False


@pytest.fixture
def database() -> Iterator[str]:
    """The URL of a PostgreSQL database of this test's own."""
    name = f"tandem_commands_{os.getpid()}"
    try:
        admin = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=2)
    except psycopg.OperationalError:
        pytest.skip("no PostgreSQL answers; set TEST_DATABASE_URL")
    with admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{POSTGRES.rpartition('/')[0]}/{name}"
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    admin.close()


def manage(environment: dict[str, str], *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "backend/manage.py", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_recommendation_service_becomes_healthy(tmp_path: Path) -> None:
    port = free_port()
    export_startups(tmp_path)
    publish_all(tmp_path)
    places = {"RS_DATA_DIR": str(tmp_path / "data"), "RS_MODELS_DIR": str(tmp_path / "models"), "RS_HOST": "127.0.0.1"}
    environment = environment_of(
        "recommendation_service", **places, RS_PORT=str(port), RS_LOG_FILE=str(tmp_path / "app.log"), RS_DATABASE_URL=""
    )
    with running("recommendation_service", port, environment, tmp_path / "out.log") as said:
        assert becomes_healthy("recommendation_service", port, environment), said()


@pytest.mark.services
@pytest.mark.timeout(240)
def test_the_backend_becomes_healthy_with_production_settings(tmp_path: Path, database: str) -> None:
    port = free_port()
    environment = environment_of("backend", DATABASE_URL=database, CACHE_URL="redis://127.0.0.1:6379/4", PORT=str(port))
    environment["RS_DATA_DIR"] = str(tmp_path)
    manage(environment, "migrate", "--noinput", "-v", "0")
    with running("backend", port, environment, tmp_path / "out.log") as said:
        assert becomes_healthy("backend", port, environment), said()


@pytest.mark.services
@pytest.mark.timeout(400)
def test_the_trainer_exports_and_publishes(tmp_path: Path, database: str) -> None:
    places = {"RS_DATA_DIR": str(tmp_path / "data"), "RS_MODELS_DIR": str(tmp_path / "models"), "DATABASE_URL": database}
    environment = environment_of("trainer", **places, PYTHON=sys.executable, RS_USE_CASES="startups")
    manage(environment, "migrate", "--noinput", "-v", "0")
    manage(environment, "generate_startups_data", "--users", "120", "--items", "80", "--events", "2500")
    done = subprocess.run(command_of("trainer", 0), cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "models/startups/als.current").is_file()


@pytest.mark.services
@pytest.mark.skipif(shutil.which("redis-server") is None, reason="no redis-server on this machine")
def test_redis_starts_with_its_password_and_refuses_without(tmp_path: Path) -> None:
    port = free_port()
    shell = filled(SERVICES["redis"]["command"][2]).replace("redis-server -", f"(cat; echo port {port}) | redis-server -")
    process = subprocess.Popen(
        ["sh", "-c", shell], env={**os.environ, "REDIS_PASSWORD": "secret"}, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        import redis  # only this test speaks to it

        with redis.Redis(port=port, password="secret") as friend:
            end = time.monotonic() + 20
            while True:
                try:
                    assert friend.ping()
                    break
                except redis.ConnectionError:
                    assert time.monotonic() < end
                    time.sleep(0.1)
        with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
    finally:
        os.killpg(process.pid, 15)
        process.wait(20)
