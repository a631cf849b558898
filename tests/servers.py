"""Real servers for tests, each started once a session on a free port and stopped at its end."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NoReturn, TypeAlias
from uuid import uuid4

import pytest

from app.demo.embedded import HOST, EmbeddedBroker, EmbeddedStore, LocalServer, free_port, kafka_probe
from app.settings import Settings, load

KAFKA: Final = Path(__file__).parents[1] / "deploy" / "kafka" / "run.py"

Given: TypeAlias = Callable[..., Settings]

_START_S: Final = 120
_STOP_S: Final = 30


def missing(why: str) -> NoReturn:
    """A part of this machine is missing: the test is skipped and says so, and under CI it fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


class ApacheKafka:
    """Apache Kafka in a folder of its own, which outlives a stop: what is in it is there after a restart."""

    def __init__(self, data: Path) -> None:
        self.port = free_port()
        self._data = data
        self._server: LocalServer | None = None

    @property
    def bootstrap(self) -> str:
        """What clients connect to, host:port; the same after a restart."""
        return f"{HOST}:{self.port}"

    def start(self) -> None:
        """Start it, unless it runs."""
        if self._server is None:
            self._server = LocalServer(
                "Apache Kafka",
                [sys.executable, str(KAFKA), "--port", str(self.port), "--data", str(self._data)],
                kafka_probe(self.port),
                patience_s=_START_S,
            )

    def stop(self) -> None:
        """Stop it, unless it was stopped."""
        server, self._server = self._server, None
        if server is not None:
            server.stop(_STOP_S)

    def kill(self) -> None:
        """End it as a power cut does."""
        server, self._server = self._server, None
        if server is not None:
            os.kill(self._java_of(server), signal.SIGKILL)
            server.stop(_STOP_S)

    @property
    def pid(self) -> int:
        """The process of the broker itself."""
        if self._server is None:
            raise RuntimeError("Apache Kafka does not run")
        return self._java_of(self._server)

    @staticmethod
    def _java_of(server: LocalServer) -> int:
        """Our script's only child."""
        (child,) = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text(encoding="utf-8").split()
        return int(child)

    def restart(self) -> None:
        """Stop it and start it again."""
        self.stop()
        self.start()


class SystemRedis:
    """The system's redis-server, which keeps nothing, at one port over all restarts."""

    def __init__(self, program: str) -> None:
        self.port = free_port()
        self._program = program
        self._server: EmbeddedStore | None = None

    @property
    def url(self) -> str:
        """What clients connect to."""
        return f"redis://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Its process."""
        if self._server is None or self._server.pid is None:
            raise RuntimeError("Redis does not run")
        return self._server.pid

    def start(self) -> None:
        """Start it, empty, unless it runs."""
        if self._server is None:
            self._server = EmbeddedStore(self._program, self.port)

    def stop(self) -> None:
        """Stop it, unless it was stopped."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()


def fetch_kafka(*options: str) -> None:
    """Have Maven fetch Apache Kafka, if it is not here yet; what stands in the way is a missing part."""
    command = [sys.executable, str(KAFKA), "--fetch", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own script
    if done.returncode:
        missing(done.stderr.strip())


def redis_program() -> str:
    """The system's redis-server; where there is none, that is a missing part."""
    program = shutil.which("redis-server")
    if program is None:
        missing("redis-server is not here: apt-get install redis-server")
    return program


def promtool(*arguments: str) -> None:
    """Let Prometheus' own tool check something; where there is none, that is a missing part."""
    program = shutil.which("promtool")
    if program is None:
        missing("promtool is not here: apt-get install prometheus")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)  # noqa: S603  Prometheus' own
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def embedded_kafka() -> Iterator[str]:
    """The bootstrap address of the embedded broker."""
    with EmbeddedBroker() as broker:
        yield broker.bootstrap


@pytest.fixture(scope="session")
def apache_kafka() -> Iterator[ApacheKafka]:
    """Apache Kafka, running; a test that stops it starts it again."""
    fetch_kafka()
    with TemporaryDirectory(prefix="rekindle-kafka-", ignore_cleanup_errors=True) as folder:
        kafka = ApacheKafka(Path(folder))
        try:
            kafka.start()
            yield kafka
        finally:
            kafka.stop()


@pytest.fixture(scope="session")
def embedded_redis() -> Iterator[str]:
    """The URL of the embedded store."""
    with EmbeddedStore() as store:
        yield store.url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of the system's redis-server."""
    with EmbeddedStore(redis_program()) as store:
        yield store.url


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Given:
    """Settings as a user gives them, and topics that no other test has."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("REKINDLE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("REKINDLE_TOPIC_PREFIX", f"t{uuid4().hex[:8]}.")

    def settings(**values: Any) -> Settings:
        for name, value in {"partitions": 3, **values}.items():
            monkeypatch.setenv(f"REKINDLE_{name.upper()}", str(value))
        return load()

    return settings


@pytest.fixture(params=["embedded", "apache"])
def kafka(request: pytest.FixtureRequest) -> str:
    """The address of each broker."""
    if request.param == "embedded":
        return str(request.getfixturevalue("embedded_kafka"))
    return str(request.getfixturevalue("apache_kafka").bootstrap)
