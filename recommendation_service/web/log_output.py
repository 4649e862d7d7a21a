"""Log output of the service: stderr and RS_LOG_FILE."""

import contextlib
import logging
import logging.handlers
import sys
import time

from recommendation_service.settings import Settings

FORMAT = "%(asctime)s [%(levelname)s] %(message)s"
LOGGER = "recommendation_service"
LINE = "formatted_line"  # attribute of a record


class LogFile(logging.handlers.WatchedFileHandler):
    """Appends lines; reports on stderr the first time that it cannot."""

    _reported = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a failure loses the line, not the request."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)

    def close(self) -> None:
        """Close the file, even if its last lines cannot be written."""
        with contextlib.suppress(OSError):
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the name is the base class's
        """Report the first failure only."""
        if not self._reported:
            self._reported = True
            print(f"the log file {self.baseFilename} cannot be written; logging to stderr only", file=sys.stderr)  # noqa: T201  # the log itself failed


class Stderr(logging.Handler):
    """Writes to the current stderr; a closed one loses the line, not the request."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(self.format(record) + "\n")


class Utc(logging.Formatter):
    """Formats times in UTC, and each line once for all outlets that share this formatter."""

    converter = staticmethod(time.gmtime)
    _second: tuple[int, str] = (-1, "")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, which keeps it for the next outlet."""
        line = record.__dict__.get(LINE)
        if line is None:
            line = record.__dict__[LINE] = super().format(record)
        return str(line)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802  # the name is the base class's
        """Return the time of a record; those of one second are formatted once."""
        second, text = self._second  # one read: another thread may replace both
        if second != int(record.created):
            text = super().formatTime(record, datefmt)
            self._second = int(record.created), text
        return text


def start_logging(settings: Settings) -> None:
    """Send this package's log lines to stderr and RS_LOG_FILE; a later call replaces the settings."""
    logger = logging.getLogger(LOGGER)
    for old in list(logger.handlers):
        logger.removeHandler(old)
        old.close()
    logger.setLevel(settings.log_level)
    outlets: list[logging.Handler] = [Stderr()]
    try:
        settings.log_file.parent.mkdir(parents=True, exist_ok=True)
        outlets.append(LogFile(settings.log_file, encoding="utf-8", delay=True))
    except OSError as error:
        print(f"no log file ({error.strerror}); logging to stderr only", file=sys.stderr)  # noqa: T201  # the log itself failed
    formatter = Utc(FORMAT, datefmt="%Y-%m-%dT%H:%M:%SZ")
    for outlet in outlets:
        outlet.setFormatter(formatter)
        logger.addHandler(outlet)
