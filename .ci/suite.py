"""Run the suite on SQLite and local memory, then on PostgreSQL and Redis, and a part on MariaDB, where they are reachable.

The last lines tell which of them were used; with CI=1, an unreachable one fails the run.
"""

import argparse
import os
import subprocess
import sys
from urllib.parse import urlsplit

import psycopg
import pymysql
import redis

POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres"
MARIADB = "mysql://root@127.0.0.1:3306/tandem"
MARIADB_TESTS = (  # what is written and read by SQL of its own, or differs between databases
    "backend/tests/tandem/event_sync",
    "backend/tests/tandem/selectors/test_popular.py",
    "backend/tests/tandem/selectors/test_history.py",
    "backend/tests/tandem/services/test_record_interactions.py",
    "backend/tests/tandem/services/test_background_jobs.py",
    "backend/tests/tandem/services/test_import_files.py",
    "backend/tests/tandem/services/test_recommend_kept.py",
    "backend/tests/tandem/exports/test_datasets.py",
)
DRILLS = "backend/tests/drills"
ONCE = ("infra", "drills", "foreign", "tandem/api/test_bodies.py")  # these make their own databases, or need none
REDIS = "redis://127.0.0.1:6379/5"


def reaches_postgres(url: str) -> bool:
    """True if a PostgreSQL answers at this address within two seconds."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def reaches_mariadb(url: str) -> bool:
    """True if a MariaDB or MySQL answers at this address within two seconds."""
    parts = urlsplit(url)
    login = {"user": parts.username or "root", "password": parts.password or ""}
    try:
        pymysql.connect(host=parts.hostname, port=parts.port or 3306, connect_timeout=2, **login).close()
    except pymysql.MySQLError:
        return False
    return True


def reaches_redis(url: str) -> bool:
    """True if a Redis answers at this address within two seconds."""
    try:
        return bool(redis.Redis.from_url(url, socket_connect_timeout=2).ping())
    except redis.RedisError:
        return False


def run(*arguments: str, **environment: str) -> int:
    """Return the exit code of pytest; an empty selection is not a failure."""
    command = [sys.executable, "-m", "pytest", "-n", os.environ.get("WORKERS", "auto"), *arguments]
    variables = " ".join(f"{name}={value}" for name, value in environment.items())
    sys.stdout.write(f"\n$ {variables} pytest {' '.join(arguments)}\n".replace("$  ", "$ "))
    sys.stdout.flush()
    code = subprocess.run(command, env={**os.environ, **environment}, check=False).returncode
    return 0 if code == 5 else code  # 5: nothing matched the selection


def main() -> int:
    """Run both. Returns 0 if all tests passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slow", action="store_true", help="also the soak and the long fuzz runs")
    slow = "" if parser.parse_args().slow else " and not slow"
    postgres, cache = os.environ.get("TEST_DATABASE_URL", POSTGRES), os.environ.get("TEST_CACHE_URL", REDIS)
    mariadb = os.environ.get("TEST_MARIADB_URL", MARIADB)
    reachable = {
        "PostgreSQL": reaches_postgres(postgres),
        "Redis": reaches_redis(cache),
        "MariaDB": reaches_mariadb(mariadb),
    }
    codes = [run("-m", f"not services{slow}", f"--ignore={DRILLS}")]
    codes.append(run(DRILLS, "-n0", "-m", f"not services{slow}"))  # alone: they measure how late answers are
    if reachable["PostgreSQL"] or reachable["Redis"]:
        # One database name per run, so that two runs never share a database.
        database = urlsplit(postgres)._replace(path=f"/tandem_{os.getpid()}").geturl()
        environment = {"DATABASE_URL": database} if reachable["PostgreSQL"] else {}
        environment |= {"CACHE_URL": cache} if reachable["Redis"] else {}
        once = [f"--ignore=backend/tests/{name}" for name in ONCE]
        codes.append(run("backend/tests", "-m", f"not browser{slow}", *once, **environment))
        codes.append(
            run("recommendation_service/tests", "backend/tests/infra", "-m", f"services{slow}", TEST_DATABASE_URL=postgres)
        )
    if reachable["MariaDB"]:
        database = urlsplit(mariadb)._replace(path=f"/tandem_{os.getpid()}").geturl()
        codes.append(
            run("-n0", "--ds", "tests.support.mariadb_settings", *MARIADB_TESTS, "-m", "not slow", TEST_MARIADB_URL=database)
        )
    for name, answers in reachable.items():
        sys.stdout.write(f"{name}: {'used' if answers else 'NOT REACHABLE, so its tests did NOT run'}\n")
    absent = [name for name, answers in reachable.items() if not answers]
    if absent and os.environ.get("CI"):
        sys.stdout.write(
            f"CI=1: {' and '.join(absent)} must answer; start it, or set "
            "TEST_DATABASE_URL, TEST_CACHE_URL and TEST_MARIADB_URL\n"
        )
        codes.append(1)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
