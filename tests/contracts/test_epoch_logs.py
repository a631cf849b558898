"""One contract for every epoch log: the fake, and the real ones on real brokers.

In the pictures `r` is a row or an output, `M` a marker, `|` the end of an epoch, `x` where a writer is cut off.
"""

import asyncio
import gc
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any, Final, TypeVar

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced
from kafka.admin import ConfigResource, KafkaAdminClient

from app.live.epoch_log import BATCH_BYTES, EpochLog, EpochRecords
from app.topics import changelog_name
from tables.changelog import MARKER_KEY, OUTPUT_PREFIX, Output, Record, output_key
from tests.contracts.places import Kafka, Place, fake, opened
from tests.live.fake_log import FakeBroker, FakeLog

PATIENCE_S: Final = 60
WHOLE: Final = ("fake whole", "apache whole")
IN_STEPS: Final = ("fake in steps", "apache in steps", "embedded in steps")
HEADERS: Final = [("ce_id", b"1"), ("ce_type", b"test")]

Result = TypeVar("Result")


def within(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(asyncio.wait_for(work, PATIENCE_S))


def epoch(number: int, rows: Sequence[Record], outputs: Sequence[Output] = ()) -> EpochRecords:
    return EpochRecords(number, rows, outputs, marker(number))


def marker(number: int) -> Record:
    return MARKER_KEY, b"%d" % number


def output(value: bytes, topic: str = "tag-changes") -> Output:
    return Output(topic, b"u", value, HEADERS)


async def reopened(log: EpochLog) -> list[Record]:
    """All that was committed. Kafka finishes a commit after it has said so; who opens the log has waited for that."""
    await log.open()
    return await read(log)


async def read(log: EpochLog) -> list[Record]:
    """What a restore takes for rows and markers: outputs that are stored among them are another affair."""
    found = [record async for records in log.read() for record in records]
    return [record for record in found if not record[0].startswith(OUTPUT_PREFIX)]


@pytest.fixture(scope="module")
def on_apache(apache_kafka: Any) -> Kafka:
    return Kafka(apache_kafka.bootstrap)


@pytest.fixture(scope="module")
def on_embedded(embedded_kafka: str) -> Kafka:
    return Kafka(embedded_kafka)


@pytest.fixture(params=[*WHOLE, *IN_STEPS])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    where, kind = request.param.split(" ", 1)
    transactional = kind == "whole"
    if where == "fake":
        yield fake(transactional=transactional)
    else:
        yield request.getfixturevalue(f"on_{where}").place(transactional=transactional)[0]
        gc.collect()  # a fenced producer leaves failed futures: they may complain here, not amid a later test


def test_an_empty_changelog_reads_nothing_and_is_unchanged(place: Place) -> None:
    async def story() -> None:
        log = place.new()
        async with opened(log):
            assert await read(log) == []
            assert await log.is_unchanged()

    within(story())


# changelog   r r M | r M |
def test_what_is_appended_is_read_back_whole_and_in_order(place: Place) -> None:
    async def story() -> None:
        log = place.new()
        async with opened(log):
            await log.append(epoch(1, [(b"u1", b"a"), (b"u2", b"b")]))
            await log.append(epoch(2, [(b"u1", b"c")]))
            expected = [(b"u1", b"a"), (b"u2", b"b"), marker(1), (b"u1", b"c"), marker(2)]
            assert await reopened(log) == expected
            assert await read(place.new()) == expected

    within(story())


def test_a_row_that_was_deleted_is_read_back_as_none(place: Place) -> None:
    async def story() -> None:
        log = place.new()
        async with opened(log):
            await log.append(epoch(1, [(b"u1", b"a")]))
            await log.append(epoch(2, [(b"u1", None)]))
            assert await reopened(log) == [(b"u1", b"a"), marker(1), (b"u1", None), marker(2)]

    within(story())


def test_an_epoch_may_be_but_a_marker_or_but_outputs(place: Place) -> None:
    async def story() -> None:
        log = place.new()
        async with opened(log):
            await log.append(epoch(1, []))
            await log.append(epoch(2, [], [output(b"a")]))
            assert await reopened(log) == [marker(1), marker(2)]
        assert await place.said("tag-changes") == [(b"u", b"a", HEADERS)]

    within(story())


def test_outputs_come_in_order_into_their_topics_and_partition_with_their_headers(place: Place) -> None:
    async def story() -> None:
        log = place.new()
        async with opened(log):
            await log.append(epoch(1, [(b"u", b"row")], [output(b"a"), output(b"?", "dead-letters"), output(b"b")]))
            await log.append(epoch(2, [], [output(b"c")]))
        assert await place.said("tag-changes") == [(b"u", value, HEADERS) for value in (b"a", b"b", b"c")]
        assert await place.said("dead-letters") == [(b"u", b"?", HEADERS)]

    within(story())


# batches     [r r r ...][r r r ...][r M] |
def test_an_epoch_of_several_batches_stays_whole_and_in_order(place: Place) -> None:
    rows = [(b"u%d" % number, b"%d" % number * 50_000) for number in range(10, 60)]
    outputs = [output(b"%d" % number * 50_000) for number in range(10, 60)]
    assert sum(len(row) for _, row in rows) > 3 * BATCH_BYTES

    async def story() -> None:
        log = place.new()
        async with opened(log):
            await log.append(epoch(1, rows, outputs))
            await log.open()
            assert await log.is_unchanged()
            assert await read(log) == [*rows, marker(1)]
        assert [value for _, value, _ in await place.said("tag-changes")] == [each.value for each in outputs]

    within(story())


def test_a_value_larger_than_a_batch_is_written_among_small_ones(place: Place) -> None:
    large = b"x" * (BATCH_BYTES + 50_000)
    rows = [(b"u1", b"small"), (b"u2", large), (b"u3", b"small")]

    async def story() -> None:
        log = place.new()
        async with opened(log):
            await log.append(epoch(1, rows, [output(large)]))
            assert await reopened(log) == [*rows, marker(1)]
        assert await place.said("tag-changes") == [(b"u", large, HEADERS)]

    within(story())


def test_a_closed_log_takes_nothing(place: Place) -> None:
    async def story() -> None:
        log = place.new()
        with pytest.raises(KafkaError):
            await log.append(EpochRecords(1, [], [], marker(1)))
        async with opened(log):
            await log.append(EpochRecords(1, [], [], marker(1)))
        with pytest.raises(KafkaError):
            await log.append(EpochRecords(2, [], [], marker(2)))
        assert await reopened_once(place) == [marker(1)]

    within(story())


def test_it_is_unchanged_after_what_was_read_or_written_here(place: Place) -> None:
    async def story() -> None:
        first, second = place.new(), place.new()
        async with opened(first):
            await first.append(epoch(1, [(b"u", b"a")], [output(b"a")]))
            await first.open()
            assert await first.is_unchanged()
            await first.append(epoch(2, [(b"u", b"b")]))
            await first.append(epoch(3, [(b"u", b"c")]))
            await first.open()
            assert await first.is_unchanged()
        async with opened(second):
            assert not await second.is_unchanged()
            await read(second)
            assert await second.is_unchanged()
        async with opened(first):
            assert await first.is_unchanged()

    within(story())


def test_it_is_changed_after_somebody_else_has_written(place: Place) -> None:
    async def story() -> None:
        first, second = place.new(), place.new()
        async with opened(first):
            await first.append(epoch(1, [(b"u", b"a")]))
        async with opened(second):
            await read(second)
            await second.append(epoch(2, [(b"u", b"b")]))
        async with opened(first):
            assert not await first.is_unchanged()
            assert await read(first) == [(b"u", b"a"), marker(1), (b"u", b"b"), marker(2)]
            assert await first.is_unchanged()

    within(story())


def test_outputs_that_were_read_back_are_published_again_only_where_they_may_be_missing(place: Place) -> None:
    async def story() -> None:
        log = place.new()
        async with opened(log):
            await log.append(epoch(1, [], [output(b"a")]))
            await log.publish([output(b"a")])
            await log.publish([])
        assert len(await place.said("tag-changes")) == (1 if place.is_transactional else 2)
        assert log.stores_outputs is not place.is_transactional

    within(story())


def test_it_can_be_closed_twice_and_opened_again(place: Place) -> None:
    async def story() -> None:
        log = place.new()
        async with opened(log):
            await log.append(epoch(1, []))
        await log.close()
        async with opened(log):
            await log.append(epoch(2, []))
            assert await reopened(log) == [marker(1), marker(2)]

    within(story())


# old   r M | r M x        its second epoch is refused
# new          ^ opened    r M |
@pytest.mark.parametrize("place", WHOLE, indirect=True)
def test_opening_fences_the_older_writer(place: Place) -> None:
    async def story() -> None:
        old, new = place.new(), place.new()
        async with opened(old):
            await old.append(epoch(1, [(b"u", b"a")]))
            async with opened(new):
                with pytest.raises(ProducerFenced):
                    await old.append(epoch(2, [(b"u", b"zombie")], [output(b"zombie")]))
                await new.append(epoch(2, [(b"u", b"b")], [output(b"b")]))
                assert await reopened(new) == [(b"u", b"a"), marker(1), (b"u", b"b"), marker(2)]
        assert [value for _, value, _ in await place.said("tag-changes")] == [b"b"]

    within(story())


# old   [r r r ...][r r x         the first batch tells the producer, another one the caller
@pytest.mark.parametrize("place", WHOLE, indirect=True)
def test_a_fenced_writer_of_a_large_epoch_is_told_so_as_well(place: Place) -> None:
    rows = [(b"u%d" % number, b"zombie" * 50_000) for number in range(20)]
    outputs = [output(b"zombie" * 50_000, topic) for topic in ("tag-changes", "dead-letters") for _ in range(20)]

    async def story() -> None:
        old, new = place.new(), place.new()
        async with opened(old, new):
            with pytest.raises(KafkaError):
                await old.append(epoch(1, rows, outputs))
            with pytest.raises(KafkaError):
                await old.append(epoch(1, [(b"u", b"zombie")], [output(b"zombie")]))
            assert await reopened(new) == []

    within(story())


# old   r M | r r x        left open
# new              ^ opened: what was left open is aborted; nobody ever sees it, and reading comes to an end
def test_opening_aborts_what_the_older_writer_left_open(apache_kafka: Any, on_apache: Kafka) -> None:
    place, number = on_apache.place(transactional=True)

    async def story() -> None:
        first, new, reader = place.new(), place.new(), place.new()
        async with opened(first):
            await first.append(epoch(1, [(b"u", b"a")]))
        await leave_open(apache_kafka.bootstrap, on_apache, number)
        assert await read(reader) == [(b"u", b"a"), marker(1)]
        async with opened(new):
            assert await read(new) == [(b"u", b"a"), marker(1)]
            assert await new.is_unchanged()
            await new.append(epoch(2, [(b"u", b"b")]))
            await new.open()
            assert await read(reader) == [(b"u", b"a"), marker(1), (b"u", b"b"), marker(2)]

    within(story())
    gc.collect()


async def leave_open(bootstrap: str, kafka: Kafka, number: int) -> None:
    """Begin an epoch as a writer does that dies amid it."""
    name = f"{kafka.settings.app_id}-{number}"
    dying = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=name)
    await dying.start()
    await dying.begin_transaction()
    await dying.send_and_wait(changelog_name(kafka.settings), key=b"u", value=b"torn", partition=number)
    await dying.stop()


def test_a_fake_forgets_what_its_writer_left_open() -> None:
    # The same as above: the fake's writer is cut off where the real one's transaction is left open.
    broker = FakeBroker()

    async def cut(_: FakeLog, point: Any) -> None:
        if point.name == "COMMITTING":
            raise KafkaError

    async def story() -> None:
        dying = FakeLog(broker, transactional=True, at=cut)
        new = FakeLog(broker, transactional=True)
        async with opened(dying):
            with pytest.raises(KafkaError):
                await dying.append(epoch(1, [(b"u", b"torn")], [output(b"torn")]))
        async with opened(new):
            assert not await new.is_unchanged()
            assert await read(new) == []
            assert await new.is_unchanged()
        assert broker.outputs == []

    within(story())


# changelog   (r M | r) M | (deleted) M |     Kafka has removed what lies in brackets
def test_reading_ends_where_the_oldest_or_all_records_are_gone(apache_kafka: Any, on_apache: Kafka) -> None:
    place, number = on_apache.place(transactional=True)
    here = TopicPartition(changelog_name(on_apache.settings), number)

    async def write(epochs: Sequence[int]) -> None:
        log = place.new()
        async with opened(log):
            for each in epochs:
                await log.append(epoch(each, [(b"u", b"%d" % each)]))

    within(write([1, 2]))
    within(reopened_once(place))
    delete_before(apache_kafka.bootstrap, here, 4)
    assert within(read(place.new())) == [marker(2)]
    delete_before(apache_kafka.bootstrap, here, -1)
    assert within(read(place.new())) == []
    within(write([3]))
    assert within(reopened_once(place)) == [(b"u", b"3"), marker(3)]


async def reopened_once(place: Place) -> list[Record]:
    log = place.new()
    async with opened(log):
        return await read(log)


def delete_before(bootstrap: str, here: Any, offset: int) -> None:
    """Remove records as the cleaner would, but at once; Kafka allows it where a topic is not compacted alone."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.alter_configs([ConfigResource("TOPIC", here.topic, {"cleanup.policy": "compact,delete"})])
        admin.delete_records({here: offset})
    finally:
        admin.close()


# changelog   o o o M | o - - M |      outputs of the epoch before, which name users, are gone: - is a tombstone
@pytest.mark.parametrize("again", [False, True], ids=["the same writer", "the next writer"])
def test_stored_outputs_are_gone_with_the_next_epoch(place: Place, *, again: bool) -> None:
    async def story() -> None:
        log = place.new()
        async with opened(log):
            await log.append(epoch(1, [], [output(b"a"), output(b"b"), output(b"c")]))
            if again:
                log = place.new()
                await log.open()
                await read(log)
            await log.append(epoch(2, [], [output(b"d")]))
            left = {key: value async for records in log.read() for key, value in records}
            stored = [key for key, value in left.items() if key.startswith(OUTPUT_PREFIX) and value is not None]
            assert stored == [output_key(0)][: log.stores_outputs]
            await log.close()

    within(story())


@pytest.mark.parametrize("place", ["apache whole", "apache in steps"], indirect=True)
def test_a_broker_that_knows_of_none_yet_is_an_error_that_is_tried_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody_there(_: AIOKafkaProducer) -> None:
        raise AssertionError("Did we not perform bootstrap?")

    async def story() -> None:
        log = place.new()
        with monkeypatch.context() as patched:
            patched.setattr(AIOKafkaProducer, "start", nobody_there)
            with pytest.raises(KafkaError):
                await log.open()
        async with opened(log):
            await log.append(epoch(1, [(b"u", b"a")]))
            assert await reopened(log) == [(b"u", b"a"), marker(1)]

    within(story())
