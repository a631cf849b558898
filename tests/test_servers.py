"""The servers that tests and the demo start: they are what they claim, and leave nothing behind."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import ProducerFenced
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
from redis import Redis

from app.demo.embedded import (
    EmbeddedBroker,
    EmbeddedError,
    EmbeddedStore,
    LocalServer,
    Probe,
    free_port,
    kafka_probe,
    redis_probe,
)
from tests.servers import ApacheKafka, fetch_kafka, missing, redis_program

PATIENCE_S: Final = 60
READ_COMMITTED: Final = "read_committed"
HARD_KILLED: Final = """
import time
from app.demo.embedded import EmbeddedBroker
broker = EmbeddedBroker()
print(broker.pid, flush=True)
time.sleep(60)
"""

Result = TypeVar("Result")


def within(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(asyncio.wait_for(work, PATIENCE_S))


def create(bootstrap: str, topic: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        admin.close()


def produce(bootstrap: str, topic: str, value: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=False)
    try:
        producer.send(topic, value, key=b"u1", headers=[("from", b"here")], timestamp_ms=1_000).get(PATIENCE_S)
    finally:
        producer.close()


async def first(bootstrap: str, topic: str, isolation: str = "read_uncommitted") -> Any:
    """The first record of a topic's only partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level=isolation)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        await consumer.seek_to_beginning()
        return await consumer.getone()
    finally:
        await consumer.stop()


def gone(pid: int) -> bool:
    """Whether a process that is not our child has ended; it may take a moment."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def check_records(bootstrap: str, topic: str) -> None:
    create(bootstrap, topic)
    produce(bootstrap, topic, b"hello")
    record = within(first(bootstrap, topic))
    assert (record.offset, record.key, record.value, record.timestamp) == (0, b"u1", b"hello", 1_000)
    assert record.headers == (("from", b"here"),)


def check_store(url: str) -> None:
    with Redis.from_url(url) as store:
        assert store.set("name", "value") is True
        assert store.get("name") == b"value"
        store.hset("row", mapping={"state": "active", "clicks": 3})
        assert store.hgetall("row") == {b"state": b"active", b"clicks": b"3"}
        entry = store.xadd("changes", {"id": "c1"})
        assert store.xrange("changes") == [(entry, {b"id": b"c1"})]
        assert store.config_get("save", "appendonly") == {"save": "", "appendonly": "no"}


def test_the_embedded_broker_gives_back_what_it_took(embedded_kafka: str) -> None:
    check_records(embedded_kafka, "servers.embedded")


def test_apache_kafka_gives_back_what_it_took(apache_kafka: ApacheKafka) -> None:
    check_records(apache_kafka.bootstrap, "servers.apache")


def test_the_embedded_store_answers_as_redis_does(embedded_redis: str) -> None:
    check_store(embedded_redis)


def test_the_systems_redis_answers_as_redis_does(redis_url: str) -> None:
    check_store(redis_url)


def test_apache_kafka_commits_a_transaction(apache_kafka: ApacheKafka) -> None:
    topic = "servers.transaction"
    create(apache_kafka.bootstrap, topic)

    async def transaction() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=apache_kafka.bootstrap, transactional_id=topic)
        async with producer, producer.transaction():
            await producer.send_and_wait(topic, b"whole", partition=0)

    within(transaction())
    assert within(first(apache_kafka.bootstrap, topic, READ_COMMITTED)).value == b"whole"


def test_apache_kafka_fences_the_first_of_two_producers_with_one_transactional_id(apache_kafka: ApacheKafka) -> None:
    topic = "servers.fence"
    create(apache_kafka.bootstrap, topic)

    async def two() -> None:
        old = AIOKafkaProducer(bootstrap_servers=apache_kafka.bootstrap, transactional_id=topic)
        new = AIOKafkaProducer(bootstrap_servers=apache_kafka.bootstrap, transactional_id=topic)
        async with old, new:
            with pytest.raises(ProducerFenced):
                async with old.transaction():
                    await old.send_and_wait(topic, b"too late", partition=0)
            async with new.transaction():
                await new.send_and_wait(topic, b"in time", partition=0)

    within(two())
    gc.collect()  # aiokafka leaves failed futures of the fenced one: they may complain here, not amid a later test
    assert within(first(apache_kafka.bootstrap, topic, READ_COMMITTED)).value == b"in time"


def test_apache_kafka_keeps_its_records_and_address_over_a_restart(apache_kafka: ApacheKafka) -> None:
    topic, before = "servers.restart", apache_kafka.bootstrap
    create(before, topic)
    produce(before, topic, b"kept")
    apache_kafka.stop()
    assert not kafka_probe(apache_kafka.port).answered()
    apache_kafka.start()
    assert apache_kafka.bootstrap == before
    assert within(first(before, topic)).value == b"kept"


@pytest.mark.parametrize("server", [EmbeddedBroker, EmbeddedStore])
def test_a_stopped_server_leaves_no_process_and_no_folder(
    server: Callable[[], LocalServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with server() as running:
        pid = running.pid
        assert pid is not None
        assert list(tmp_path.iterdir())
    assert not running.alive
    assert gone(pid)
    assert not list(tmp_path.iterdir())
    running.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_server_ends_with_its_parent_however_that_ends(tmp_path: Path) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", HARD_KILLED]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:  # noqa: S603  our own
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    assert gone(pid)


def test_a_server_that_cannot_run_says_its_last_words() -> None:
    with pytest.raises(EmbeddedError) as caught:
        LocalServer("it", ["/bin/sh", "-c", "echo before; echo >&2 no space"], redis_probe(free_port()))
    assert str(caught.value) == "it ended before it answered: before | no space"


def test_a_server_that_gives_no_answer_is_stopped_and_named() -> None:
    with pytest.raises(EmbeddedError, match=r"^the mute gives no answer after 0\.1 s$"):
        LocalServer("the mute", ["/bin/sleep", "60"], redis_probe(free_port()), patience_s=0.1)


def test_a_connection_alone_is_no_answer() -> None:
    with EmbeddedStore() as store:
        assert redis_probe(store.port).answered()
        assert not Probe(store.port, b"PING\r\n", b"+PENG").answered()
    assert not redis_probe(store.port).answered()


def test_what_is_missing_skips_a_test_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"^no such thing$"):
        missing("no such thing")


def test_what_is_missing_fails_a_test_under_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=r"^no such thing$"):
        missing("no such thing")


def test_without_redis_server_or_java_it_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install redis-server"):
        redis_program()
    with pytest.raises(pytest.skip.Exception, match="apt-get install default-jre-headless"):
        fetch_kafka("--cache", str(tmp_path))
