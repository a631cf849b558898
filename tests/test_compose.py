"""docker-compose.yml, the Dockerfile and Prometheus' file agree with each other, the settings and the repository."""

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import typer
import yaml

from app.cli import app
from app.settings import Settings, load

REPOSITORY: Final = Path(__file__).parents[1]
DOCKERFILE: Final = REPOSITORY / "deploy" / "Dockerfile"
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))
PROVISIONED: Final = REPOSITORY / "deploy" / "grafana" / "provisioning"


def written(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


PROMETHEUS: Final = written(REPOSITORY / "deploy" / "prometheus" / "prometheus.yml")
(SOURCE,) = written(PROVISIONED / "datasources" / "prometheus.yml")["datasources"]
SERVICES: Final[dict[str, Any]] = COMPOSE["services"]
WORKER: Final[dict[str, Any]] = SERVICES["worker"]
WEB_PORT: Final[int] = Settings.model_fields["web_port"].default
PREFIX: Final = "REKINDLE_"


def environment(service: str) -> dict[str, str]:
    return dict(SERVICES[service].get("environment", {}))


def filled_in(value: str) -> str:
    """A value as Compose hands it on, where what it asks for is set."""
    return re.sub(r"\$\{\w+:\?[^}]+\}", "given-by-the-user", str(value))


def ports(service: str) -> set[int]:
    """The ports that a service says it listens on, as the other services see them."""
    published = [str(port).rpartition(":")[2] for port in SERVICES[service].get("ports", [])]
    return {int(port) for port in [*published, *SERVICES[service].get("expose", [])]}


def instructions(name: str) -> list[str]:
    """The arguments of each such instruction in the Dockerfile."""
    return re.findall(rf"^{name}\s+(.+)$", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def copied() -> list[str]:
    return [source for line in instructions("COPY") for source in line.split()[:-1]]


def images() -> list[str]:
    return [service["image"] for service in SERVICES.values() if "image" in service] + instructions("FROM")


def addresses() -> list[str]:
    """host:port of all that one service reaches in another."""
    given = environment("worker")
    scraped = [
        target for job in PROMETHEUS["scrape_configs"] for each in job["static_configs"] for target in each["targets"]
    ]
    asked = [urlsplit(url).netloc for url in (given["REKINDLE_REDIS"], SOURCE["url"])]
    return [*given["REKINDLE_KAFKA"].split(","), *asked, *scraped]


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_service_is_told_is_a_setting_with_a_valid_value(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        monkeypatch.delenv(name)
    given = {name: filled_in(value) for name, value in environment(service).items() if name.startswith(PREFIX)}
    for name, value in given.items():
        assert name.removeprefix(PREFIX).lower() in Settings.model_fields
        monkeypatch.setenv(name, str(value))
    load()


def test_the_worker_is_told_where_the_others_are() -> None:
    assert {"REKINDLE_KAFKA", "REKINDLE_REDIS", "REKINDLE_WEB_HOST"} <= environment("worker").keys()


@pytest.mark.parametrize("image", images())
def test_an_image_has_a_version(image: str) -> None:
    assert re.fullmatch(r"[a-z/]+:v?\d[\w.-]*", image)


def test_the_workers_port_is_the_same_everywhere() -> None:
    assert "REKINDLE_WEB_PORT" not in environment("worker")
    assert WORKER["ports"] == [f"127.0.0.1:{WEB_PORT}:{WEB_PORT}"]
    assert instructions("EXPOSE") == [str(WEB_PORT)]
    assert f"http://127.0.0.1:{WEB_PORT}/readyz" in WORKER["healthcheck"]["test"][-1]
    assert f"worker:{WEB_PORT}" in addresses()


def test_the_web_view_asks_for_a_token_that_nobody_knows_and_prometheus_has_it() -> None:
    asked = re.fullmatch(r"\$\{(\w+):\?.+\}", environment("worker")["REKINDLE_WEB_TOKEN"])
    assert asked is not None
    (secret,) = SERVICES["prometheus"]["secrets"]
    assert COMPOSE["secrets"] == {secret: {"environment": asked[1]}}
    (job,) = PROMETHEUS["scrape_configs"]
    assert job["authorization"] == {"credentials_file": f"/run/secrets/{secret}"}


def test_grafana_asks_for_that_token_too_and_finds_its_dashboard_where_it_is_mounted() -> None:
    given, mounted = environment("grafana"), dict(each.split(":")[:2] for each in SERVICES["grafana"]["volumes"])
    (secret,) = SERVICES["grafana"]["secrets"]
    assert given["GF_SECURITY_ADMIN_PASSWORD__FILE"] == f"/run/secrets/{secret}"
    (provider,) = written(PROVISIONED / "dashboards" / "rekindle.yml")["providers"]
    shown = mounted["./deploy/grafana/rekindle.json"]
    assert given["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == shown
    assert shown.startswith(provider["options"]["path"] + "/")
    assert mounted[f"./{PROVISIONED.relative_to(REPOSITORY)}"] == "/etc/grafana/provisioning"


def test_prometheus_is_given_the_rules_that_its_file_names() -> None:
    (mounted,) = SERVICES["prometheus"]["volumes"]
    assert mounted == "./deploy/prometheus:/etc/prometheus:ro"
    for name in ("prometheus.yml", *PROMETHEUS["rule_files"]):
        assert (REPOSITORY / "deploy" / "prometheus" / name).is_file()


def test_the_workers_check_of_health_is_python() -> None:
    kind, program, flag, code = WORKER["healthcheck"]["test"]
    assert (kind, program, flag) == ("CMD", "python", "-c")
    compile(code, "healthcheck", "exec")


@pytest.mark.parametrize("address", addresses())
def test_an_address_is_that_of_a_service_and_a_port_it_listens_on(address: str) -> None:
    host, _, port = address.rpartition(":")
    assert host in SERVICES
    assert int(port) in ports(host)


def test_kafka_listens_where_it_says() -> None:
    given = environment("kafka")
    listening = set(re.findall(r"(\w+)://:(\d+)", given["KAFKA_LISTENERS"]))
    advertised = re.findall(r"(\w+)://([\w.]+):(\d+)", given["KAFKA_ADVERTISED_LISTENERS"])
    assert ports("kafka") == {int(port) for _, _, port in advertised}
    assert {(name, port) for name, _, port in advertised} < listening
    assert {host for _, host, _ in advertised} == {"kafka", "127.0.0.1"}


def test_nothing_is_published_beyond_this_machine() -> None:
    published = [str(port) for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_what_the_worker_waits_for_has_a_check_of_health() -> None:
    assert WORKER["depends_on"] == {name: {"condition": "service_healthy"} for name in ("kafka", "redis")}
    assert all("healthcheck" in SERVICES[name] for name in WORKER["depends_on"])


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_mounted_or_built_from_exists(service: str) -> None:
    for volume in SERVICES[service].get("volumes", []):
        source = volume.partition(":")[0]
        assert (REPOSITORY / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]
    build = SERVICES[service].get("build")
    if build is not None:
        assert (REPOSITORY / build["context"] / build["dockerfile"]).is_file()


@pytest.mark.parametrize("source", copied())
def test_what_the_dockerfile_copies_exists(source: str) -> None:
    assert (REPOSITORY / source).exists()


def test_the_dockerfile_copies_every_package() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert {*wheel["packages"], project["project"]["readme"]} <= set(copied())


def test_the_worker_runs_a_command_that_exists() -> None:
    assert WORKER["command"] == json.loads(instructions("CMD")[-1])
    assert WORKER["command"][0] in typer.main.get_group(app).commands
    assert instructions("ENTRYPOINT") == ['["rekindle"]']
