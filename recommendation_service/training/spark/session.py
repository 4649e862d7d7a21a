"""A Spark session, with a clear error where Spark or Java is missing."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from recommendation_service.errors import ConfigurationError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOCAL = "local[*]"
INSTALL = "pip install 'tandem-recommendations[train,spark]'"


@contextmanager
def spark_session(master: str = LOCAL) -> Iterator["SparkSession"]:
    """Yield a session on the cluster at `master`, such as spark://host:7077 or local[2], and stop it at the end.

    Memory, cores and everything else come from Spark's own configuration: SPARK_CONF_DIR/spark-defaults.conf. Raises
    ConfigurationError if pyspark or Java is missing, or if the cluster does not answer.
    """
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise ConfigurationError(f"engine spark needs pyspark: {INSTALL}") from error
    if shutil.which("java") is None:
        raise ConfigurationError("engine spark needs Java 17 or newer on this machine and on every worker: install a JDK")
    builder = SparkSession.builder.master(master).appName("tandem")
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except (PySparkException, OSError, RuntimeError) as error:
        raise ConfigurationError(f"Spark does not start with master {master}: {error}") from error
    session.sparkContext.setLogLevel("WARN")  # such as that a busy cluster gives no cores, and the job waits
    try:
        yield session
    finally:
        session.stop()
