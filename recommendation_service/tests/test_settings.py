"""The environment, read strictly."""

import pytest
from pydantic import ValidationError

from recommendation_service.core.signing import MIN_KEY_BYTES
from recommendation_service.errors import ConfigurationError
from recommendation_service.settings import Settings, load_settings

LONG = "k" * MIN_KEY_BYTES


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    settings = load_settings({})
    assert (settings.env, settings.host, settings.port) == ("production", "127.0.0.1", 5000)
    assert settings.keys() == {}
    assert not settings.insecure_dev
    assert settings.enable_als
    assert settings.enable_two_tower
    assert settings.enable_ensemble
    assert settings.ensemble_als_weight is None


def test_an_empty_value_counts_as_unset() -> None:
    assert load_settings({"RS_PORT": "", "ENSEMBLE_ALS_WEIGHT": ""}).port == 5000


def test_the_names_of_the_acceptance_list_are_read() -> None:
    settings = load_settings(
        {
            "ENABLE_ALS": "false",
            "ALS_MODEL_PATH": "models/als_v1",
            "ENSEMBLE_ALS_WEIGHT": "0.7",
            "COLD_START_THRESHOLD": "3",
            "WARM_USER_THRESHOLD": "30",
        }
    )
    assert not settings.enable_als
    assert str(settings.als_model_path) == "models/als_v1"
    assert (settings.ensemble_als_weight, settings.cold_start_threshold, settings.warm_user_threshold) == (0.7, 3, 30)


def test_a_misspelt_name_stops_the_start_and_lists_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"unknown setting RS_PROT; .*RS_PORT"):
        load_settings({"RS_PROT": "1"})


def test_names_of_other_programs_are_none_of_ours() -> None:
    assert load_settings({"PATH": "/bin", "DATABASE_URL": "x"}).port == 5000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RS_PORT", "70000"),
        ("RS_PORT", "http"),
        ("RS_WORKERS", "0"),
        ("ENV", "staging"),
        ("RS_LOG_LEVEL", "LOUD"),
        ("ENABLE_ALS", "perhaps"),
        ("ENSEMBLE_ALS_WEIGHT", "-0.1"),
        ("COLD_START_THRESHOLD", "-1"),
        ("RS_RELOAD_SECONDS", "-1"),
    ],
)
def test_a_wrong_value_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name}: "):
        load_settings({name: value})


@pytest.mark.parametrize("raw", ["short", "kid:short", f":{LONG}", f"a:{LONG},b:short", LONG])
def test_a_weak_or_nameless_key_is_refused_without_printing_it(raw: str) -> None:
    with pytest.raises(ConfigurationError, match="32 bytes or longer") as refused:
        load_settings({"RS_SIGNING_KEYS": raw})
    assert raw not in refused.value.message


def test_the_first_key_signs_and_all_are_kept_in_order() -> None:
    keys = load_settings({"RS_SIGNING_KEYS": f"new:{LONG}1, old:{LONG}:2"}).keys()
    assert list(keys.items()) == [("new", f"{LONG}1".encode()), ("old", f"{LONG}:2".encode())]


def test_secrets_are_masked_wherever_settings_are_printed() -> None:
    settings = load_settings(
        {"RS_SIGNING_KEYS": f"a:{LONG}", "RS_DATABASE_URL": "postgresql://u:canary@h/d", "RS_METRICS_TOKEN": "canary"}
    )
    for text in (repr(settings), str(settings), settings.model_dump_json()):
        assert LONG not in text
        assert "canary" not in text


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_settings({}).port = 1  # type: ignore[misc]  # that is the point


def test_every_variable_says_what_it_does() -> None:
    for field in Settings.model_fields.values():
        assert field.alias
        assert field.description
