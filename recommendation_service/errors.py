"""Every failure Tandem expects: a stable code, an HTTP status, and a message that tells the fix."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar


class TandemError(Exception):
    """Base of all expected failures.

    `code` is the stable word for clients, `status` the HTTP status the doors answer with, and the message
    says what happened, why, and what to do now. `fields` names the guilty inputs: JSON pointer -> detail.
    """

    code: ClassVar[str] = "tandem_error"
    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = dict(fields or {})


class InvalidInput(TandemError):
    """A request, a row or an option is malformed; nothing was done with it."""

    code = "invalid_input"
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class NotFound(TandemError):
    """The thing asked for does not exist, or is not the asker's to see: both read the same."""

    code = "not_found"
    status = HTTPStatus.NOT_FOUND


class Gone(TandemError):
    """The thing existed and was removed."""

    code = "gone"
    status = HTTPStatus.GONE


class Conflict(TandemError):
    """The same thing is being done already, or its state does not allow it now."""

    code = "conflict"
    status = HTTPStatus.CONFLICT


class Unauthenticated(TandemError):
    """No token, or one that cannot be trusted."""

    code = "unauthenticated"
    status = HTTPStatus.UNAUTHORIZED


class Forbidden(TandemError):
    """A trusted token without the scope this needs."""

    code = "forbidden"
    status = HTTPStatus.FORBIDDEN


class Unavailable(TandemError):
    """Nothing can answer now, not even the last link of the chain."""

    code = "unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE


class ConfigurationError(TandemError):
    """A setting or a use-case file is wrong; the process must not start with it."""

    code = "configuration"


class DatasetError(TandemError):
    """An export or a data file is missing, damaged, or too small to train on."""

    code = "dataset"


class ArtifactRefused(TandemError):
    """A model set is damaged, half-written, empty, non-finite, misshapen or too new; the last good one stays."""

    code = "artifact_refused"


class PublishRefused(TandemError):
    """A trained model did not pass the gate, so today's model keeps serving."""

    code = "publish_refused"
