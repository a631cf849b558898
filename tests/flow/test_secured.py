"""A broker and a store with logins over TLS: everything goes through, and what does not says why in one line."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import urlopen
from uuid import uuid4

import pytest
from kafka.admin import ACLOperation, ResourceType

from app.demo.embedded import free_port
from schemas.times import parse_instant
from tests.flow.system import System, some_events
from tests.oracle import effective
from tests.secured import PASSWORD, PLAIN_PASSWORD, USER, Authority, SecuredKafka, SecuredRedis

UNTIL: Final = "2021-09-01T00:00:00Z"
PATIENCE_S: Final = 60

WORKER_RIGHTS: Final = {
    "events.": [ACLOperation.READ],
    "tag-changes": [ACLOperation.WRITE],
    "dead-letters": [ACLOperation.WRITE],
    "recall-": [ACLOperation.WRITE],
    "{app}-control": [ACLOperation.READ],
    "churn-": [ACLOperation.READ, ACLOperation.WRITE],
    "{app}-changelog": [ACLOperation.READ, ACLOperation.WRITE],
}
REPLAY_RIGHTS: Final = {
    "events.": [ACLOperation.WRITE],
    "tag-changes": [ACLOperation.DESCRIBE],
    "dead-letters": [ACLOperation.DESCRIBE],
    "recall-": [ACLOperation.DESCRIBE],
    "{app}-control": [ACLOperation.DESCRIBE],
    "churn-": [ACLOperation.DESCRIBE],
    "{app}-changelog": [ACLOperation.DESCRIBE],
}


def user(kafka: SecuredKafka, name: str, app: str, rights: dict[str, list[ACLOperation]]) -> str:
    """A new user, with rights on the topics of an application."""
    kafka.add_user(name)
    for topic, operations in rights.items():
        kafka.allow(name, ResourceType.TOPIC, f"{app}.{topic.format(app=app)}", *operations)
    return name


def environment(**settings: str) -> dict[str, str]:
    """These settings alone, as an environment."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("REKINDLE_")}
    return others | {f"REKINDLE_{name.upper()}": value for name, value in settings.items()}


def rekindle(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-m", "app.cli", *arguments],
        env=environment(**settings), capture_output=True, text=True, check=False, timeout=PATIENCE_S,
    )  # fmt: skip


def diagnosis(settings: dict[str, str]) -> dict[str, Any]:
    """What the doctor finds, by the names of its checks."""
    told = rekindle("doctor", "--json", **settings)
    return {check["name"]: check for check in json.loads(told.stdout)["checks"]}


def test_worker_and_replay_need_no_more_rights_than_the_docs_say(
    secured_kafka: SecuredKafka, secured_redis: SecuredRedis, tmp_path: Path
) -> None:
    app = f"s{uuid4().hex[:8]}"
    common = {
        "app_id": app, "topic_prefix": f"{app}.", "partitions": "2", "clock": "event", "churn": "true",
        "rules": "builtin",
        "redis": secured_redis.url, "redis_ca": str(secured_kafka.authority.ca),
    }  # fmt: skip
    owner = System(tmp_path, kafka=secured_kafka.at("plaintext"), **common)  # makes the topics
    worker, sender = (
        user(secured_kafka, f"{app}-w", app, WORKER_RIGHTS),
        user(secured_kafka, f"{app}-r", app, REPLAY_RIGHTS),
    )
    own = secured_kafka.settings(kafka_username=worker) | common
    lacking = diagnosis(own)
    assert "TransactionalIdAuthorizationFailed" in lacking["transactions"]["finding"]
    assert "GroupAuthorizationFailed" in lacking["group"]["finding"]
    assert "the broker does not tell how" in lacking["changelog"]["finding"]
    secured_kafka.allow(worker, ResourceType.GROUP, app, ACLOperation.READ)
    secured_kafka.allow(worker, ResourceType.TRANSACTIONAL_ID, f"{app}-", ACLOperation.WRITE)
    history = tmp_path / "history.jsonl"
    history.write_text("".join(json.dumps(event) + "\n" for event in some_events(5, 50, 2000)))
    assert rekindle("backtest", str(history), "--until", UNTIL, "--out", str(tmp_path / "out")).returncode == 0
    expected = effective(map(json.loads, (tmp_path / "out" / "tag-changes.jsonl").read_text().splitlines()))

    with System(tmp_path, **own) as system:
        system.start(0)
        sent = rekindle(
            "replay", str(history), "--until", UNTIL, **secured_kafka.settings(kafka_username=sender), **common
        )
        assert sent.returncode == 0, sent.stderr
        system.wait_until_applied(parse_instant(UNTIL))
        summary = system.summary(0)
        assert summary
        assert summary["store"] is True
        checks = diagnosis(own)
        assert system.stop() == [0]
    said = owner.changes()
    assert effective(said) == expected
    assert len({change["id"] for change in said}) == len(said) > 0
    assert checks["connection"]["finding"] == f"sasl_ssl: TLS, login of {worker} by SCRAM-SHA-512"
    assert {name: each for name, each in checks.items() if each["level"] == "failed"} == {}
    assert PASSWORD not in system.logs() + sent.stdout + sent.stderr + str(checks)


def test_a_worker_shows_no_password_even_when_it_logs_everything_and_leaves_no_folder_behind(
    secured_kafka: SecuredKafka, secured_redis: SecuredRedis, tmp_path: Path
) -> None:
    app, port = f"s{uuid4().hex[:8]}", free_port()
    plain = secured_kafka.at("plaintext")
    System(tmp_path, kafka=plain, app_id=app, topic_prefix=f"{app}.", partitions="2", churn="true", rules="builtin")
    user(secured_kafka, USER, app, WORKER_RIGHTS)
    secured_kafka.allow(USER, ResourceType.GROUP, app, ACLOperation.READ)
    secured_kafka.allow(USER, ResourceType.TRANSACTIONAL_ID, f"{app}-", ACLOperation.WRITE)
    given = secured_kafka.settings(kafka_password=PLAIN_PASSWORD, kafka_sasl_mechanism="PLAIN")
    folder = tmp_path / "work"
    folder.mkdir()
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(
        [sys.executable, "-m", "app.cli", "worker", "--log-level", "debug"], cwd=folder, stdout=log, stderr=log,
        env=environment(
            **given, app_id=app, topic_prefix=f"{app}.", partitions="2", web_port=str(port),
            redis=secured_redis.url, redis_ca=str(secured_kafka.authority.ca),
        ),
    ) as worker:  # fmt: skip
        until_ready(port, worker)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE_S) == 0
    said = (tmp_path / "log").read_text()
    assert " DEBUG aiokafka" in said
    assert PLAIN_PASSWORD not in said
    assert PASSWORD not in said
    assert list(folder.iterdir()) == []


def until_ready(port: int, worker: Any) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        assert worker.poll() is None
        try:
            urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
        except URLError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("the worker is not ready")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kafka_password": "S3cret-but-wrong"}, "refuses the login of rekindle-user (Authentication failed"),
        ({"kafka_ca": "{other}"}, "shows a certificate that is not trusted"),
        ({"kafka_ca": ""}, "shows a certificate that is not trusted"),
        ({"kafka_ca": "/nowhere/ca.pem"}, "kafka_ca: /nowhere/ca.pem cannot be read (no such file or directory)"),
        ({"kafka": "localhost:{port}"}, "shows a certificate for another host"),
    ],
    ids=["wrong-password", "unknown-authority", "no-authority", "missing-file", "wrong-host"],
)
@pytest.mark.parametrize("command", ["worker", "replay"])
def test_what_is_wrong_is_told_in_one_line(
    command: str, wrong: dict[str, str], said: str, secured_kafka: SecuredKafka, tmp_path: Path
) -> None:
    values = {"other": Authority(tmp_path, "other").ca, "port": secured_kafka.ports["SASL_SSL"]}
    history = tmp_path / "history.jsonl"
    history.write_text(json.dumps(some_events(1, 5, 50)[0]) + "\n")
    given = secured_kafka.settings(**{name: value.format(**values) for name, value in wrong.items()})
    done = rekindle(command, *([str(history)] if command == "replay" else []), **given, web_port=str(free_port()))
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("rekindle: ")]
    assert done.stderr.splitlines()[-1] == line
    assert said in line
    assert "S3cret" not in done.stdout + done.stderr


@pytest.mark.parametrize("lacking", ["transactional id", "changelog"])
def test_a_worker_that_may_not_write_ends_and_says_why(
    secured_kafka: SecuredKafka, tmp_path: Path, lacking: str
) -> None:
    app = f"s{uuid4().hex[:8]}"
    common = {"app_id": app, "topic_prefix": f"{app}.", "partitions": "2", "clock": "event"}
    owner = System(tmp_path, kafka=secured_kafka.at("plaintext"), **common)  # makes the topics
    rights = WORKER_RIGHTS | ({"{app}-changelog": [ACLOperation.READ]} if lacking == "changelog" else {})
    worker = user(secured_kafka, f"{app}-w", app, rights)
    secured_kafka.allow(worker, ResourceType.GROUP, app, ACLOperation.READ)
    if lacking != "transactional id":
        secured_kafka.allow(worker, ResourceType.TRANSACTIONAL_ID, f"{app}-", ACLOperation.WRITE)
    owner.publish(some_events(5, 50, 500))
    system = System(tmp_path, **secured_kafka.settings(kafka_username=worker), **common)
    system.start(0)
    assert system.workers.pop(0).wait(PATIENCE_S) == 2, system.logs()
    last = system.logs().splitlines()[-1]
    assert last.startswith("rekindle: the broker refuses what partition")
    assert "docs/security.md" in last


def test_campaigns_by_hand_need_no_more_rights_than_the_docs_say(secured_kafka: SecuredKafka, tmp_path: Path) -> None:
    app = f"s{uuid4().hex[:8]}"
    common = {"app_id": app, "topic_prefix": f"{app}.", "partitions": "2", "clock": "event", "rules": "builtin"}
    System(tmp_path, kafka=secured_kafka.at("plaintext"), **common)  # makes the topics
    by_hand = {topic: [ACLOperation.DESCRIBE] for topic in REPLAY_RIGHTS} | {
        "{app}-control": [ACLOperation.READ, ACLOperation.WRITE],
    }
    worker = user(secured_kafka, f"{app}-w", app, WORKER_RIGHTS)
    person = user(secured_kafka, f"{app}-p", app, by_hand)
    secured_kafka.allow(worker, ResourceType.GROUP, app, ACLOperation.READ)
    secured_kafka.allow(worker, ResourceType.TRANSACTIONAL_ID, f"{app}-", ACLOperation.WRITE)
    own = secured_kafka.settings(kafka_username=person) | common | {"churn": "false"}
    done = rekindle("campaign", "pause", "silent", **own)
    assert (done.returncode, done.stdout, done.stderr) == (0, "silent is paused\n", "")
    with System(tmp_path, **secured_kafka.settings(kafka_username=worker), **common) as system:
        system.start(0)
        system.wait_until_ready()
        deadline = time.monotonic() + PATIENCE_S
        while not (system.summary(0) or {}).get("paused"):
            assert time.monotonic() < deadline, system.logs()
            time.sleep(0.2)
        assert system.stop() == [0]
    reader = user(secured_kafka, f"{app}-x", app, {**by_hand, "{app}-control": [ACLOperation.READ]})
    refused = rekindle("campaign", "pause", "lost", **(own | secured_kafka.settings(kafka_username=reader)))
    assert refused.returncode == 2
    assert f"{app}.{app}-control cannot be used" in refused.stderr
    assert "docs/security.md" in refused.stderr
