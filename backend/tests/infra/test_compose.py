"""docker-compose.yml, rule by rule: the file is parsed here, and test_commands.py runs its commands as processes."""

import re
from typing import Any

import pytest
import yaml

from tests.infra.place import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SECRETS = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "SECRET_KEY", "RS_SIGNING_KEYS")

each = pytest.mark.parametrize("name", SERVICES)


def test_the_six_services_are_there() -> None:
    assert set(SERVICES) == {"postgres", "redis", "backend", "recommendation_service", "trainer", "cross_encoder"}


@each
def test_a_service_runs_as_a_numbered_user_that_is_not_root(name: str) -> None:
    user, _, group = SERVICES[name]["user"].partition(":")
    assert int(user) > 0
    assert int(group) > 0


@each
def test_a_service_can_write_only_to_its_volumes_and_tmp(name: str) -> None:
    assert SERVICES[name]["read_only"] is True
    assert any(mount.partition("=")[0] == "/tmp:size" for mount in SERVICES[name]["tmpfs"])


@each
def test_a_service_has_no_capability_and_can_gain_none(name: str) -> None:
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert "cap_add" not in SERVICES[name]
    assert "no-new-privileges:true" in SERVICES[name]["security_opt"]
    assert not SERVICES[name].get("privileged")


@each
def test_a_service_has_limits(name: str) -> None:
    assert SERVICES[name]["pids_limit"] <= 200
    assert re.fullmatch(r"\d+[mg]", SERVICES[name]["mem_limit"])


@each
def test_a_service_says_whether_it_is_well(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check == {"disable": True} if name == "trainer" else check["test"][0] in ("CMD", "CMD-SHELL")


@each
def test_only_the_backend_is_reachable_from_outside(name: str) -> None:
    assert ("ports" in SERVICES[name]) == (name == "backend")
    assert ("outside" in SERVICES[name]["networks"]) == (name == "backend")
    assert "network_mode" not in SERVICES[name]


def test_the_inner_network_has_no_way_out() -> None:
    assert COMPOSE["networks"]["inside"]["internal"] is True


@each
def test_no_service_mounts_the_host(name: str) -> None:
    volumes = [str(volume).partition(":")[0] for volume in SERVICES[name].get("volumes", ())]
    assert set(volumes) <= set(COMPOSE["volumes"])


@pytest.mark.parametrize("name", ["recommendation_service", "cross_encoder"])
def test_what_serves_can_only_read_the_models(name: str) -> None:
    assert SERVICES[name]["volumes"] == ["tandem:/var/lib/tandem:ro"]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_must_be_given_and_has_no_default(secret: str) -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    uses = re.findall(rf"(?<!\$)\$\{{{secret}([^}}]*)\}}", text)
    assert uses
    assert all(use.startswith(":?") for use in uses)


@each
def test_no_environment_value_is_a_secret_written_out(name: str) -> None:
    for variable, value in SERVICES[name].get("environment", {}).items():
        if re.search(r"PASSWORD|SECRET|KEYS|TOKEN|_URL$", variable) and variable != "RECOMMENDATION_SERVICE_URL":
            assert "${" in str(value), variable


@each
def test_an_image_is_built_here_or_pinned_to_a_version(name: str) -> None:
    service = SERVICES[name]
    assert "build" in service or re.search(r":\d+\.\d+", service["image"])


def test_the_trainer_and_the_cross_encoder_start_only_when_asked_for() -> None:
    profiles = {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service}
    assert profiles == {"trainer": ["train"], "cross_encoder": ["rerank"]}


@pytest.mark.parametrize("name", ["backend", "recommendation_service", "trainer", "cross_encoder"])
def test_the_command_is_that_of_the_image(name: str) -> None:
    build = SERVICES[name]["build"]
    assert str(SERVICES[name]["command"]).replace("'", '"') in (ROOT / build["dockerfile"]).read_text()
