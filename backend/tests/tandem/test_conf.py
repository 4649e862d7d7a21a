"""The `TANDEM` dictionary: defaults, unknown keys and wrong types."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tandem.conf import KEYS, TandemSettings, settings_problems, tandem_settings
from tests.infra.place import ROOT


def test_a_project_without_the_dictionary_gets_every_default(settings: Any, tmp_path: Path) -> None:
    del settings.TANDEM
    settings.BASE_DIR = tmp_path
    found = tandem_settings()
    assert settings_problems() == []
    assert (found.service_url, found.cache_seconds, found.signing_keys) == ("http://127.0.0.1:5000", 60, "")
    assert found.use_cases_dir == tmp_path / "use_cases"
    assert found.data_dir == tmp_path / "var/data"


def test_a_project_without_base_dir_uses_the_current_folder(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TANDEM = {}
    del settings.BASE_DIR
    monkeypatch.chdir(tmp_path)
    assert tandem_settings().manage == tmp_path / "manage.py"


def test_a_changed_setting_counts_at_once(settings: Any) -> None:
    settings.TANDEM = {"CACHE_SECONDS": 7, "DATA_DIR": "/some/where"}
    assert tandem_settings().cache_seconds == 7
    assert tandem_settings().data_dir == Path("/some/where")


def test_an_unknown_key_is_named_with_the_keys_there_are(settings: Any) -> None:
    settings.TANDEM = {"CASHE_SECONDS": 5}
    ((key, message),) = settings_problems()
    assert key == "TANDEM['CASHE_SECONDS']"
    assert all(known in message for known in KEYS)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("CACHE_SECONDS", "sixty"),
        ("CACHE_SECONDS", -1),
        ("DEADLINE_S", "0.3"),
        ("DEADLINE_S", 0),
        ("SIGNING_KEYS", None),
        ("SERVICE_URL", "https://service.example"),
        ("SERVICE_URL", "127.0.0.1:5000"),
        ("CACHE_ALIAS", "elsewhere"),
        ("DATA_DIR", 5),
        ("RUNS", {"reindex": "manage.py"}),
        ("RUNS", [("manage.py",)]),
    ],
)
def test_a_wrong_value_is_named_with_its_key(settings: Any, key: str, value: Any) -> None:
    settings.TANDEM = {key: value}
    ((name, message),) = settings_problems()
    assert name.startswith(f"TANDEM['{key}']")
    assert message
    with pytest.raises(ImproperlyConfigured, match=re.escape(name)):
        tandem_settings()


@pytest.mark.parametrize("value", [None, [], "text"])
def test_a_dictionary_of_another_type_is_a_problem_and_no_crash(settings: Any, value: Any) -> None:
    settings.TANDEM = value
    assert [key for key, _ in settings_problems()] == ["TANDEM"]


def test_a_problem_never_shows_the_value(settings: Any) -> None:
    settings.TANDEM = {"SIGNING_KEYS": ["k1:secret"], "K1_SECRET": "k1:secret"}
    assert "k1:secret" not in str(settings_problems())


def test_the_reference_page_lists_every_key_with_its_default() -> None:
    text = (ROOT / "docs/reference/settings.md").read_text()
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| \w+ \| (.+?) \|", text, re.MULTILINE))
    assert sorted(rows) == list(KEYS)
    for name, field in TandemSettings.model_fields.items():
        if field.default_factory is None and field.default != "":
            assert rows[name.upper()] == f"`{field.default}`"
