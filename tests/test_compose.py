"""docker-compose.yml: nothing secret by default, everything checked, commands that exist."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.cli import COMMANDS
from backend.core.settings import Settings

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "api", "worker", "worker-gpu")
CUDA_BUILDS = {"cu126", "cu130"}
"""That torch 2.13 is published in for Linux; there is no cu128 any more."""
VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)(?::?([-?])([^}]*))?\}")


def test_every_variable_is_in_the_example_file() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    documented = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE))
    used = {name for name, _, _ in VARIABLE.findall(TEXT)}
    passed_on = {
        name
        for service in SERVICES.values()
        for name, value in service.get("environment", {}).items()
        if value is None
    }
    assert used
    assert (used | passed_on) - documented == set()


def test_secrets_have_no_default() -> None:
    secret = re.compile("PASSWORD|SECRET|TOKEN|USERNAME")
    uses = [(name, kind) for name, kind, _ in VARIABLE.findall(TEXT) if secret.search(name)]
    assert len({name for name, _ in uses}) >= 6
    assert {name for name, kind in uses if kind != "?"} == set()
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            is_setting = name in ("LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN",)
            if value and secret.search(name) and not is_setting:
                assert ":?" in value, f"{name} has a value in docker-compose.yml"


def test_required_values_are_empty_in_the_example_file() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    for name, kind, _ in VARIABLE.findall(TEXT):
        if kind == "?":
            assert re.search(rf"^{name}=$", example, re.MULTILINE), name


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "migrate"])
def test_every_service_that_stays_has_a_health_check(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= set(check)


def test_services_wait_for_what_they_need() -> None:
    conditions = {
        (name, needed): entry["condition"]
        for name, service in SERVICES.items()
        for needed, entry in service.get("depends_on", {}).items()
    }
    assert conditions["migrate", "db"] == "service_healthy"
    assert conditions["label-studio", "db"] == "service_healthy"
    for name in ("api", "worker", "worker-gpu"):
        assert conditions[name, "migrate"] == "service_completed_successfully"
    for name, needed in conditions:
        assert needed in SERVICES, f"{name} waits for {needed}"


@pytest.mark.parametrize("name", OURS)
def test_our_commands_are_in_the_cli(name: str) -> None:
    (command,) = SERVICES[name]["command"]
    assert command in COMMANDS


@pytest.mark.parametrize("name", OURS)
def test_our_settings_are_settings(name: str) -> None:
    known = {f"ASSAY_{field.upper()}" for field in Settings.model_fields}
    assert set(SERVICES[name]["environment"]) <= known


@pytest.mark.parametrize("name", OURS)
def test_the_environment_makes_valid_production_settings(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # away from any .env
    for key, value in SERVICES[name]["environment"].items():
        if value is not None:
            filled = VARIABLE.sub(lambda m: m[3] if m[2] == "-" else "0123456789" * 4, value)
            monkeypatch.setenv(key, filled)
    settings = Settings(_env_file=None)
    assert settings.environment == "production"
    assert not settings.is_embedded_store
    assert "." in settings.webhook_base_url  # Label Studio refuses a host without a dot
    alias = re.search("//([^:/]+)", settings.webhook_base_url)
    assert alias
    assert alias[1] in SERVICES["api"]["networks"]["default"]["aliases"]


def test_ports_are_published_on_loopback() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_label_studio_is_hardened_and_offline() -> None:
    environment = SERVICES["label-studio"]["environment"]
    locked = (ROOT / "requirements/label-studio.lock").read_text(encoding="utf-8")
    version = SERVICES["label-studio"]["image"].split(":")[1]
    assert f"label-studio=={version}\n" in locked
    assert environment["LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK"] == "true"
    assert environment["LABEL_STUDIO_COLLECT_ANALYTICS"] == "false"
    assert environment["LABEL_STUDIO_SENTRY_DSN"] == ""
    assert environment["LABEL_STUDIO_FRONTEND_SENTRY_DSN"] == ""
    assert environment["DJANGO_DB"] == "default"


def test_the_gpu_worker_runs_only_when_asked_for() -> None:
    gpu = SERVICES["worker-gpu"]
    assert gpu["profiles"] == ["gpu"]
    assert gpu["build"]["args"]["TORCH_INDEX"].rpartition("/")[2] in CUDA_BUILDS
    assert gpu["image"] != SERVICES["worker"]["image"]
    (device,) = gpu["deploy"]["resources"]["reservations"]["devices"]
    assert device["driver"] == "nvidia"


def test_the_image_does_not_run_as_root() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    user = re.findall(r"^USER (.+)$", dockerfile, re.MULTILINE)
    assert user == ["assay"]
    assert dockerfile.index("USER assay") < dockerfile.index("ENTRYPOINT")
