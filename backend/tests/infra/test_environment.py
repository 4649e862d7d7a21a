""".env.example knows every variable that the code reads, and no secret."""

import re

import pytest

from recommendation_service.settings import Settings
from tests.infra.place import ROOT

EXAMPLE = (ROOT / ".env.example").read_text()
NAMED = dict(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
DJANGO = sorted(
    {
        name
        for path in (ROOT / "backend/config/settings").glob("*.py")
        for name in re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', path.read_text())
    }
)
SECRETS = (
    "SECRET_KEY",
    "RS_SIGNING_KEYS",
    "RS_DB_PASSWORD",
    "RS_METRICS_TOKEN",
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "DATABASE_URL",
)


@pytest.mark.parametrize("name", [str(field.alias) for field in Settings.model_fields.values()])
def test_every_setting_of_the_service_is_listed(name: str) -> None:
    assert name in NAMED or ("<" in name and f"{name}=" in EXAMPLE)  # a pattern of names is explained in a comment


@pytest.mark.parametrize("name", [*DJANGO, "DJANGO_SETTINGS_MODULE"])
def test_every_setting_of_django_is_listed(name: str) -> None:
    assert name in NAMED


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_has_no_value(name: str) -> None:
    assert NAMED[name] == ""


@pytest.mark.parametrize("name", re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
def test_every_variable_of_the_compose_file_is_listed(name: str) -> None:
    assert name in NAMED


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, value in NAMED.items() if value])
def test_a_default_shown_is_the_default(name: str, value: str) -> None:
    fields = {str(field.alias): field.default for field in Settings.model_fields.values()}
    if name in fields:
        default = fields[name]
        assert str(default).lower() == value.lower() or str(default).endswith(value)
