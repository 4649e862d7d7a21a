"""The site's use-case files, in the folder TANDEM["USE_CASES_DIR"]."""

from collections.abc import Sequence

from recommendation_service.use_cases import loader
from recommendation_service.use_cases.schema import UseCase
from tandem.conf import tandem_settings


def load(name: str) -> UseCase:
    """Return one use case, read once per process. Raises ConfigurationError that tells the fix."""
    return loader.load(name, tandem_settings().use_cases_dir)


def names() -> Sequence[str]:
    """Return the names of all use cases that have a file, sorted; empty without a folder."""
    return loader.names(tandem_settings().use_cases_dir)
