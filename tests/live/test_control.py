"""A worker's ear on real brokers: what was told before it came, and what is told while it listens."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from uuid import uuid4

import pytest
from kafka import KafkaProducer

from app.campaigns.control import tell
from app.demo.embedded import free_port
from app.live.control import ControlTopic
from app.live.worker import Worker
from app.rules_file import load_rules
from app.settings import Settings
from app.topics import BrokerError, control_name, prepare
from schemas.control import Command, Pause, Resume, Run
from tests.servers import Given

PATIENCE_S = 30.0
FIRST = Pause("silent", 1)
LATER: Sequence[Command] = (Resume("silent", 2), Run("r1", "lost", 3))


@pytest.fixture
def settings(kafka: str, given: Given) -> Settings:
    return given(
        kafka=kafka, app_id=f"c{uuid4().hex[:8]}", delivery="at_least_once", web_port=free_port(), churn="false",
        redis=f"redis://127.0.0.1:{free_port()}",
    )  # fmt: skip


def commands(topic: ControlTopic) -> list[Command | None]:
    return [told.command for told in topic.since(0)]


def test_what_was_told_before_is_known_at_once_and_what_comes_is_heard(settings: Settings) -> None:
    tell(settings, FIRST)

    async def story() -> None:
        topic = ControlTopic(settings)
        await topic.read()
        assert commands(topic) == [FIRST]
        ear = asyncio.create_task(topic.run())
        for command in LATER:
            await asyncio.to_thread(tell, settings, command)
        async with asyncio.timeout(PATIENCE_S):
            while len(topic.since(0)) < 3:  # noqa: ASYNC110  it tells nobody
                await asyncio.sleep(0.1)
        ear.cancel()
        with suppress(asyncio.CancelledError):
            await ear
        assert commands(topic) == [FIRST, *LATER]
        second = topic.since(0)[1]
        assert [told.command for told in topic.since(second.offset)] == [*LATER]
        assert list(topic.since(topic.since(0)[-1].offset + 1)) == []

    asyncio.run(story())


def test_a_record_that_is_no_command_is_logged_and_takes_its_place(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    prepare(settings)
    producer = KafkaProducer(bootstrap_servers=settings.kafka, enable_idempotence=False, acks="all")
    producer.send(control_name(settings), b'{"type":"stop"}', b"campaign/silent", partition=0).get(PATIENCE_S)
    producer.close()
    tell(settings, FIRST)

    async def story() -> None:
        topic = ControlTopic(settings)
        await topic.read()
        assert commands(topic) == [None, FIRST]

    asyncio.run(story())
    assert "is none that this version knows" in caplog.text


def test_an_empty_topic_tells_nothing(settings: Settings) -> None:
    prepare(settings)

    async def story() -> None:
        topic = ControlTopic(settings)
        await topic.read()
        assert commands(topic) == []

    asyncio.run(story())


def test_a_worker_does_nothing_before_it_has_read_what_was_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_: ControlTopic) -> None:
        raise BrokerError("not now")

    monkeypatch.setattr(ControlTopic, "read", refuse)

    async def story() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await Worker(settings, load_rules()).run()

    with pytest.raises(BrokerError, match="not now"):
        asyncio.run(story())
