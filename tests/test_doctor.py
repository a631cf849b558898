"""The doctor: what is well, what is not, and what to do about it; real brokers, one line each."""

import json
import socket
import sys
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pytest
import typer
from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata
from typer.testing import CliRunner, Result

from app.commands.doctor import doctor
from app.demo.embedded import HOST, free_port
from app.doctor import machine
from app.doctor.check import Check, Level
from app.doctor.diagnose import diagnose, healthy
from app.replay.replay import Replay
from app.settings import Settings
from app.topics import BrokerError, admin, changelog_name, control_name, input_names, prepare
from schemas.decode import decode
from tests.servers import Given
from tests.test_topics import create

CLI: Final = typer.Typer(pretty_exceptions_enable=False)
CLI.command("doctor")(doctor)
CLI.callback()(lambda: None)


@pytest.fixture(autouse=True)
def quiet(given: Given) -> None:
    """A free web port, no Redis, and a broker that may have no transactions, unless a test says otherwise."""
    given(web_port=free_port(), redis=f"redis://{HOST}:{free_port()}", delivery="at_least_once")


def found() -> dict[str, Check]:
    checks = diagnose()
    for check in checks:
        assert bool(check.advice) == (check.level is not Level.OK)
        assert "\n" not in check.finding + check.advice
    return {check.name: check for check in checks}


def levels(checks: dict[str, Check]) -> dict[str, str]:
    return {name: check.level.value for name, check in checks.items() if check.level is not Level.OK}


def rekindle(*arguments: str) -> Result:
    return CliRunner().invoke(CLI, arguments)


def test_a_new_broker_lacks_topics_and_workers_and_nothing_fails(kafka: str, given: Given) -> None:
    given(kafka=kafka, app_id=f"new-{free_port()}")
    checks = found()
    assert checks["topics"].finding == "no topics yet (15 are needed)"
    assert levels(checks).items() <= {"topics": "warning", "group": "warning", "redis": "warning"}.items()
    assert checks["broker"].finding.startswith(f"1 broker at {kafka}, speaking as Kafka ")
    assert healthy(list(checks.values()))


def test_topics_that_are_ready_are_well(kafka: str, given: Given) -> None:
    settings = given(kafka=kafka)
    prepare(settings)
    checks = found()
    assert checks["topics"].finding == "all 15, with 3 partitions each"
    assert checks["replication"].finding == "one broker, one copy"
    assert checks["changelog"].finding == f"{changelog_name(settings)} is compacted"
    assert checks["control"].finding == f"{control_name(settings)} is compacted"
    assert checks["retention"].level is Level.OK


def test_topics_that_are_missing_are_named(kafka: str, given: Given) -> None:
    settings = given(kafka=kafka)
    create(settings, dict.fromkeys(["events.click", "events.cart", "events.order", "dead-letters"], 3))
    churn = ["churn-scores", "churn-examples", "churn-models"]
    recall = ["recall-triggers", "recall-decisions"]
    names = ["events.profile", "events.message", "events.tag", "tag-changes", *recall, *churn]
    own = [changelog_name(settings), control_name(settings)]
    expected = [*(settings.topic_prefix + name for name in names), *own]
    assert found()["topics"].finding == f"missing: {', '.join(expected)}"


def test_partitions_that_do_not_fit_fail(kafka: str, given: Given) -> None:
    create(given(kafka=kafka), {"events.click": 2})
    check = found()["topics"]
    assert (check.level, check.finding) == (Level.FAILED, "the topics have 2 partitions, but 3 are set")
    assert check.advice == "set REKINDLE_PARTITIONS=2, or recreate the topics; to change it: docs/upgrading.md"


def create_with(settings: Settings, name: str, configs: dict[str, str]) -> None:
    with admin(settings) as client:
        client.create_topics({name: {"num_partitions": 3, "configs": configs}}, wait_for_metadata=True)


def test_a_changelog_that_is_not_compacted_fails(kafka: str, given: Given) -> None:
    settings = given(kafka=kafka)
    create_with(settings, changelog_name(settings), {"cleanup.policy": "delete"})
    check = found()["changelog"]
    assert (check.level, check.advice) == (Level.FAILED, "set its cleanup.policy to compact")


def test_a_retention_shorter_than_lateness_is_a_warning(kafka: str, given: Given) -> None:
    settings = given(kafka=kafka)
    name = next(iter(input_names(settings)))
    create_with(settings, name, {"retention.ms": "3600000"})
    check = found()["retention"]
    assert (check.level, check.finding) == (Level.WARNING, f"{name} keeps 1h, but allowed_lateness is 7d")


def test_exactly_once_fails_without_transactions(embedded_kafka: str, given: Given) -> None:
    given(kafka=embedded_kafka, delivery="exactly_once")
    check = found()["transactions"]
    assert check.level is Level.FAILED
    assert check.advice.startswith("set REKINDLE_DELIVERY=at_least_once")
    given(delivery="at_least_once")
    assert found()["transactions"].level is Level.OK


def test_exactly_once_is_well_with_transactions(apache_kafka: Any, given: Given) -> None:
    given(kafka=apache_kafka.bootstrap, delivery="exactly_once")
    assert found()["transactions"].finding == "available; delivery is exactly_once"


def click(number: int) -> Any:
    body = {"type": "click", "event_id": f"e{number}", "user_id": f"u{number}", "ts": 1 + number, "item_id": "i"}
    return decode(json.dumps(body).encode())


def test_the_lag_is_what_was_not_committed(apache_kafka: Any, given: Given) -> None:
    settings = given(kafka=apache_kafka.bootstrap, app_id=f"lag-{free_port()}")
    Replay(settings, [click(number) for number in range(30)]).run()
    name = next(iter(input_names(settings)))
    assert f"lag: {name} 33," in found()["group"].finding  # each partition has a tick too
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka, group_id=settings.app_id, enable_auto_commit=False)
    with closing(consumer):
        consumer.assign([TopicPartition(name, 0)])
        consumer.commit({TopicPartition(name, 0): OffsetAndMetadata(3, "", -1)})
    check = found()["group"]
    assert check.level is Level.WARNING
    assert check.finding.startswith(f"no worker is in {settings.app_id}; lag: {name} 30, ")


def test_workers_in_the_group_are_counted(apache_kafka: Any, given: Given) -> None:
    settings = given(kafka=apache_kafka.bootstrap, app_id=f"group-{free_port()}")
    prepare(settings)
    names = list(input_names(settings))
    with closing(KafkaConsumer(*names, bootstrap_servers=settings.kafka, group_id=settings.app_id)) as consumer:
        for _ in range(10):
            consumer.poll(timeout_ms=5_000)  # less may never be enough to join, on a machine that is busy
            if consumer.assignment():
                break
        check = found()["group"]
    assert (check.level, check.finding.split(";")[0]) == (Level.OK, f"{settings.app_id}: 1 worker, stable")


def test_no_broker_is_one_check_and_the_rest_goes_on(given: Given) -> None:
    server = f"{HOST}:{free_port()}"
    given(kafka=server)
    checks = found()
    assert checks["broker"].finding == f"no Kafka broker answers at {server} (connection refused)"
    assert list(checks) == ["python", "packages", "settings", "broker", "redis", "web"]
    assert not healthy(list(checks.values()))


def test_a_look_that_is_refused_is_told_and_the_others_go_on(
    embedded_kafka: str, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Check:
        raise BrokerError("this is wrong", "do that")

    given(kafka=embedded_kafka)
    monkeypatch.setattr("app.doctor.kafka.retention", refuse)
    checks = found()
    assert checks["retention"] == Check("retention", Level.FAILED, "this is wrong", "do that")
    assert "group" in checks


def test_settings_that_are_wrong_end_it(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    given()
    monkeypatch.setenv("REKINDLE_SILENT_AFTER", "5x")
    checks = found()
    assert list(checks) == ["python", "packages", "settings"]
    assert checks["settings"].finding.startswith("REKINDLE_SILENT_AFTER (or silent_after in rekindle.toml): '5x'")


def test_where_settings_come_from_is_told(given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given(app_id="crm")
    for name in ("WEB_PORT", "REDIS", "DELIVERY", "TOPIC_PREFIX"):
        monkeypatch.delenv(f"REKINDLE_{name}")
    (tmp_path / "rekindle.toml").write_text('silent_after = "20d"\npartitions = 4\n')
    assert machine.origins().finding == (
        "valid; from the environment: app_id, partitions; from rekindle.toml: silent_after; the others are defaults"
    )


def test_redis_that_answers_is_told_with_its_version_and_without_a_password(embedded_redis: str, given: Given) -> None:
    place = embedded_redis.removeprefix("redis://")
    check = machine.store(given(redis=embedded_redis))
    assert check.level is Level.OK
    assert check.finding.endswith(f" at {place}")
    assert machine.store(given(redis=f"redis://me:hidden@{HOST}:1")).level is Level.WARNING
    assert "hidden" not in repr(machine.store(given(redis=f"redis://me:hidden@{HOST}:1")))


class Page(BaseHTTPRequestHandler):
    """Answers with the text of its class."""

    text = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.text)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(("text", "level"), [(b"<title>Rekindle</title>", Level.OK), (b"Hello", Level.FAILED)])
def test_a_web_port_in_use_is_well_if_a_worker_has_it(given: Given, text: bytes, level: Level) -> None:
    server = HTTPServer((HOST, 0), type("Answer", (Page,), {"text": text}))
    thread = Thread(target=server.handle_request)
    thread.start()
    try:
        assert machine.web(given(web_port=server.server_port)).level is level
    finally:
        thread.join()
        server.server_close()


def test_a_web_port_of_something_that_speaks_no_http_fails(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_WAIT_S", 0.1)
    with closing(socket.create_server((HOST, 0))) as listener:
        assert "another program" in machine.web(given(web_port=listener.getsockname()[1])).finding


LONG_ENOUGH = "sixteen-letters-or-more"


def test_a_web_host_that_is_not_ours_fails(given: Given) -> None:
    assert machine.web(given(web_host="192.0.2.1", web_token=LONG_ENOUGH)).level is Level.FAILED
    assert machine.web(given(web_host="no-such-host.invalid", web_token=LONG_ENOUGH)).level is Level.FAILED


def test_an_old_python_and_a_missing_package_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.python().level is Level.OK
    assert machine.packages().level is Level.OK
    monkeypatch.setattr(sys, "version_info", (3, 10, 1, "final", 0))
    assert machine.python() == Check("python", Level.FAILED, "3.10.1", "use Python 3.11 to 3.14")
    monkeypatch.setattr(machine, "PACKAGES", ("redis", "no-such-package"))
    assert machine.packages() == Check("packages", Level.FAILED, "missing: no-such-package", "make setup installs them")


def test_the_command_prints_a_table_or_json_and_its_code_tells_health(embedded_kafka: str, given: Given) -> None:
    given(kafka=embedded_kafka)
    table = rekindle("doctor")
    assert (table.exit_code, table.stderr) == (0, "")
    assert "python" in table.stdout
    assert "warning" in table.stdout
    told = rekindle("doctor", "--json")
    assert told.exit_code == 0
    assert json.loads(told.stdout)["healthy"] is True
    given(delivery="exactly_once")
    told = rekindle("doctor", "--json")
    assert told.exit_code == 1
    failed = [each["name"] for each in json.loads(told.stdout)["checks"] if each["level"] == "failed"]
    assert failed == ["transactions"]
