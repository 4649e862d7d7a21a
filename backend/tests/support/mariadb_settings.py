"""Settings of the tests on MariaDB or MySQL: TEST_MARIADB_URL, or a server on this machine without a password."""

import pymysql

from config.settings.test import *  # noqa: F403 - a settings module is its base plus the differences
from config.settings.test import DATABASES, env

pymysql.install_as_MySQLdb()  # a driver that needs no compiler
DATABASES["default"] = {
    **env.db_url("TEST_MARIADB_URL", default="mysql://root@127.0.0.1:3306/tandem"),
    "OPTIONS": {"charset": "utf8mb4"},
}
