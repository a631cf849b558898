#!/usr/bin/env python3
"""Apache Kafka on this machine without Docker: Maven fetches it once, Java runs it as a single node until Ctrl-C.

`.venv/bin/python deploy/kafka/run.py --port 9092`; its data goes with it, unless `--data` names a folder.
"""

import argparse
import hashlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NoReturn

from app.demo.embedded import HOST, EmbeddedError, LocalServer, free_port, kafka_probe
from app.ports import problem

_POM: Final = Path(__file__).with_name("pom.xml")
_CACHE: Final = Path(__file__).parents[2] / ".kafka"
_CLUSTER: Final = "cmVraW5kbGUtbG9jYWwtMQ"  # any 16 bytes; always the same, so that --data can be used again
_QUICK: Final = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_START_S: Final = 90
_STOP_S: Final = 20
_LOOK_EVERY_S: Final = 0.2
_LAST_LINES: Final = 3

_PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
listeners={listeners},CONTROLLER://{host}:{controller}
advertised.listeners={listeners}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.quorum.voters=1@{host}:{controller}
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
log.cleaner.backoff.ms=1000
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
"""


class CannotRunError(Exception):
    """Something is missing; the text is one line that says what to do."""


def main() -> None:
    """Fetch Kafka if need be, start it, say so, and stop it at Ctrl-C or SIGTERM."""
    options = _options()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        jars = fetch(options.cache)
        if not options.fetch:
            run(jars, options.port, options.data, options.listener, options.properties)
    except (CannotRunError, EmbeddedError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        pass


def fetch(cache: Path) -> Path:
    """The folder with Kafka's jars, fetched by Maven the first time and whenever pom.xml says otherwise."""
    _program("java", "apt-get install default-jre-headless")
    jars = cache / hashlib.sha256(_POM.read_bytes()).hexdigest()[:12]
    if jars.is_dir():
        return jars
    maven = _program("mvn", "apt-get install maven")
    cache.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=cache, ignore_cleanup_errors=True) as half_done:
        whole = Path(half_done) / "jars"
        _call([maven, "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies", f"-DoutputDirectory={whole}"])
        if not jars.is_dir():  # somebody else may have been quicker
            whole.rename(jars)
    return jars


def run(jars: Path, port: int, data: Path | None, more: Sequence[str] = (), properties: Path | None = None) -> None:
    """Run one node until we are interrupted; raises where it does not start, or ends by itself.

    `more`: listeners beside the plain one; `properties`: a file of what they need.
    """
    _check_free(port)
    with TemporaryDirectory(prefix="rekindle-kafka-", ignore_cleanup_errors=True) as folder:
        chosen = port or free_port()
        logs = (data or Path(folder) / "data").resolve()
        logs.mkdir(parents=True, exist_ok=True)
        listeners = ",".join([f"PLAINTEXT://{HOST}:{chosen}", *more])
        text = _PROPERTIES.format(host=HOST, listeners=listeners, controller=free_port(), data=logs)
        whole = Path(folder) / "server.properties"
        whole.write_text(text + (properties.read_text(encoding="utf-8") if properties else ""), encoding="utf-8")
        java = _java(jars)
        if not (logs / "meta.properties").exists():
            _call([*java, *_QUICK, "kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", str(whole)])
        _serve([*java, "-Xms256m", "-Xmx1g", "kafka.Kafka", str(whole)], chosen)


def _serve(command: list[str], port: int) -> None:
    server = LocalServer("Apache Kafka", command, kafka_probe(port), patience_s=_START_S)
    try:
        sys.stdout.write(f"Apache Kafka is ready at {HOST}:{port}; Ctrl-C stops it\n")
        sys.stdout.flush()
        while server.alive:
            time.sleep(_LOOK_EVERY_S)
        raise CannotRunError("Apache Kafka ended by itself; start it again, with --data to keep what it holds")
    finally:
        server.stop(_STOP_S)


def _java(jars: Path) -> list[str]:
    java = _program("java", "apt-get install default-jre-headless")
    return [java, "-cp", f"{jars}/*", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]


def _program(name: str, how: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise CannotRunError(f"Apache Kafka needs {name} (Java 17 or newer, and Maven to fetch it): {how}")
    return path


def _call(command: list[str]) -> None:
    """Run a step to its end; what it said matters only if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  maven and java
    if done.returncode:
        said = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise CannotRunError(f"{Path(command[0]).name} fails: {' | '.join(said[-_LAST_LINES:])}")


def _check_free(port: int) -> None:
    if problem(HOST, port):
        raise CannotRunError(
            f"port {port} is in use or not allowed; stop what listens there, or choose one: --port 9093"
        )


def _interrupt(*_: Any) -> NoReturn:
    raise KeyboardInterrupt


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run Apache Kafka on 127.0.0.1 until Ctrl-C.")
    parser.add_argument("--port", type=int, default=9092, help="0 chooses a free one (default: %(default)s)")
    parser.add_argument("--data", type=Path, help="folder for its data (default: a temporary one, removed at the end)")
    parser.add_argument("--cache", type=Path, default=_CACHE, help="folder for its jars (default: .kafka)")
    parser.add_argument("--fetch", action="store_true", help="only fetch it")
    secured = parser.add_argument_group("for tests of TLS and SASL")
    secured.add_argument(
        "--listener", action="append", default=[], metavar="URL", help="one more, such as SASL_SSL://127.0.0.1:9093"
    )
    secured.add_argument("--properties", type=Path, help="file with the properties that it needs, such as keys")
    return parser.parse_args()


if __name__ == "__main__":
    main()
