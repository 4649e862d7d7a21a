"""The `TANDEM` dictionary of Django's settings: every key, its type and its default.

    TANDEM = {"SIGNING_KEYS": os.environ["RS_SIGNING_KEYS"], "CACHE_SECONDS": 300}

No key is required. `manage.py check` reports unknown keys and wrong types. Code reads `tandem_settings().cache_seconds`.
"""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

OWN_USER_ID = "tandem.identity.user_id_of"
OWN_CLIENT = "tandem.service_client.client.RecommendationClient"

RATE = r"^([1-9][0-9]*/(s|sec|m|min|h|hour|d|day))?$"

Folder = Annotated[Path, Field(strict=False)]  # a str is converted
Command = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]  # a list is converted


def _below_base(*parts: str) -> Path:
    """Return a path below the project's BASE_DIR, or below the current folder where the project sets no BASE_DIR."""
    return Path(getattr(settings, "BASE_DIR", None) or Path.cwd()).joinpath(*parts)


class TandemSettings(BaseModel):
    """All settings of Tandem. A field `cache_seconds` is the key "CACHE_SECONDS" of the dictionary."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=str.upper)

    service_url: str = Field("http://127.0.0.1:5000", description="Address of the recommendation service, http://host:port")
    backend: str = Field(OWN_CLIENT, description="Class that calls the service; tests use tandem.testing.Fake")
    signing_keys: str = Field("", description="kid:secret,kid:secret, as RS_SIGNING_KEYS of the service; 32 bytes or more each")
    deadline_s: float = Field(0.3, gt=0, description="Longest time in seconds that a page waits for the service")
    connect_timeout_s: float = Field(0.05, gt=0, description="Longest time in seconds for connecting to the service")
    database_deadline_s: float = Field(
        0.3, gt=0, description="Longest time in seconds that a list waits for the databases; then it is made without them"
    )
    cache_alias: str = Field("default", description="Alias in CACHES of the cache that stores lists")
    cache_seconds: int = Field(60, ge=0, description="How long a list is served from the cache; 0: not at all")
    throttle: str = Field("600/min", pattern=RATE, description="Requests of one user to the API, such as 10/s; empty: no limit")
    trusted_proxies: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        (), description="Networks of the proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8; default: no proxy"
    )
    use_cases_dir: Folder = Field(
        default_factory=lambda: _below_base("use_cases"), description="Folder of use-case files; default: BASE_DIR/use_cases"
    )
    data_dir: Folder = Field(
        default_factory=lambda: _below_base("var", "data"), description="Folder for exports; default: BASE_DIR/var/data"
    )
    models_dir: Folder = Field(
        default_factory=lambda: _below_base("var", "models"), description="Folder of models; default: BASE_DIR/var/models"
    )
    spool_dir: Folder = Field(
        default_factory=lambda: _below_base("var", "spool"),
        description="Folder for events that the database refused, until they are recorded; default: BASE_DIR/var/spool",
    )
    background_writer: bool = Field(
        True, description="Write shown lists in a thread beside the requests; False: after each response, in its own process"
    )
    deleted_users: Literal["forget", "anonymize"] = Field(
        "forget", description="What happens to the history of a user whom the site deletes: forget, or anonymize"
    )
    user_id: str = Field(OWN_USER_ID, description="Path of a function that returns the user id of a Django user, or None")
    runs: dict[str, Annotated[tuple[Command, ...], Field(strict=False)]] = Field(
        default_factory=dict,
        description="Background jobs: name -> commands, such as (('manage.py', 'sync_interactions'),); {use_case} is replaced",
    )
    manage: Folder = Field(
        default_factory=lambda: _below_base("manage.py"), description="The project's manage.py; default: BASE_DIR/manage.py"
    )

    @field_validator("service_url")
    @classmethod
    def _plain_http(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or parts.path.strip("/") or parts.query or parts.username:
            raise ValueError("must look like http://host:port")
        return url

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            ip_network(network)  # a ValueError names what is wrong
        return networks

    @field_validator("cache_alias")
    @classmethod
    def _known_cache(cls, alias: str) -> str:
        if alias not in settings.CACHES:
            raise ValueError(f"CACHES has no such alias; it has {', '.join(settings.CACHES)}")
        return alias


KEYS = tuple(sorted(name.upper() for name in TandemSettings.model_fields))


def tandem_settings() -> TandemSettings:
    """Return the settings with defaults for absent keys. Raises ImproperlyConfigured with every problem."""
    try:
        return TandemSettings.model_validate(_declared())
    except ValidationError as error:
        raise ImproperlyConfigured("; ".join(f"{key}: {message}" for key, message in _problems(error))) from None


def settings_problems() -> list[tuple[str, str]]:
    """Return (key, message) for every unknown key and every wrong value of TANDEM."""
    try:
        TandemSettings.model_validate(_declared())
    except ValidationError as error:
        return _problems(error)
    return []


def _declared() -> Any:
    return getattr(settings, "TANDEM", {})


def _problems(error: ValidationError) -> list[tuple[str, str]]:
    """Without the values: one of them is secret."""
    problems = []
    for problem in error.errors(include_input=False, include_url=False):
        key = "".join(f"[{part!r}]" for part in problem["loc"])
        unknown = problem["type"] == "extra_forbidden"
        message = f"unknown key; the keys are {', '.join(KEYS)}" if unknown else problem["msg"].removeprefix("Value error, ")
        problems.append((f"TANDEM{key}", message))
    return problems
