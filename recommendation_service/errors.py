"""Expected failures: a stable code, an HTTP status, and a message with the fix."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar


class TandemError(Exception):
    """Base of all expected failures.

    `code` is a stable identifier for clients and `status` the HTTP status of the response. The message
    says what happened, why, and how to fix it. `fields` names the wrong inputs: JSON pointer -> detail.
    """

    code: ClassVar[str] = "tandem_error"
    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = dict(fields or {})


class InvalidInput(TandemError):
    """A request, a row or an option is invalid; nothing was changed."""

    code = "invalid_input"
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class NotFound(TandemError):
    """The resource does not exist, or the caller may not see it; both give the same response."""

    code = "not_found"
    status = HTTPStatus.NOT_FOUND


class Gone(TandemError):
    """The resource existed and was removed."""

    code = "gone"
    status = HTTPStatus.GONE


class Conflict(TandemError):
    """The operation already runs, or the state of the resource does not allow it."""

    code = "conflict"
    status = HTTPStatus.CONFLICT


class Unauthenticated(TandemError):
    """There is no token, or the token is not valid."""

    code = "unauthenticated"
    status = HTTPStatus.UNAUTHORIZED


class Forbidden(TandemError):
    """The token is valid and lacks the required scope."""

    code = "forbidden"
    status = HTTPStatus.FORBIDDEN


class Unavailable(TandemError):
    """No engine can serve now, not even the last of the fallback chain."""

    code = "unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE


class ConfigurationError(TandemError):
    """A setting or a use-case file is wrong; the process does not start."""

    code = "configuration"


class DatasetError(TandemError):
    """An export or a data file is missing, damaged, or too small to train on."""

    code = "dataset"


class ArtifactRefused(TandemError):
    """A model is damaged, incomplete, empty, not finite, of wrong shape or too new; the last good version stays in use."""

    code = "artifact_refused"


class PublishRefused(TandemError):
    """A trained model did not pass the gate; the published model stays in use."""

    code = "publish_refused"
