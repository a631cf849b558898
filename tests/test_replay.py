"""A replay: what comes back from a real broker is what the history says, in order, with its ticks."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from kafka import KafkaConsumer, TopicPartition
from kafka.partitioner import murmur2
from typer.testing import CliRunner, Result

from app.commands.replay import replay
from app.demo.embedded import HOST, EmbeddedBroker, free_port
from app.history.history import History
from app.replay.pace import Pace
from app.replay.replay import Replay
from app.settings import Settings
from app.topics import BrokerError, input_names, prepare
from schemas.dead_letter import DeadLetter
from schemas.decode import decode
from schemas.events import AnyEvent, Record, Tick
from schemas.times import DAY_MS, HOUR_MS, SECOND_MS, Millis
from tests.history.files import write_csv, write_jsonl
from tests.servers import Given

DAY_0: Final = 1_704_067_200_000  # 2024-01-01T00:00:00Z
PARTITIONS: Final = 3
REPOSITORY: Final = Path(__file__).parents[1]
CLI: Final = typer.Typer(pretty_exceptions_enable=False)
CLI.command("replay")(replay)
CLI.callback()(lambda: None)


def click(number: int, ts: Millis, **fields: Any) -> dict[str, Any]:
    user = f"user-{number * 7919 % 11}"
    return {"type": "click", "event_id": f"e{number}", "user_id": user, "ts": ts, "item_id": "i", **fields}


def cart(number: int, ts: Millis) -> dict[str, Any]:
    return {**click(number, ts), "type": "cart"}


def history_of(hours: int) -> list[dict[str, Any]]:
    """An event an hour, of two types."""
    return [(click, cart)[hour % 2](hour, DAY_0 + hour * HOUR_MS) for hour in range(hours)]


def events_of(records: Sequence[dict[str, Any]]) -> list[AnyEvent]:
    return [record for each in records if not isinstance(record := decode(json.dumps(each).encode()), Tick)]


def at_end(consumer: KafkaConsumer, place: TopicPartition) -> bool:
    """By what a fetch says: asked for its end offsets, the embedded broker counts the last batch as one record."""
    end = consumer.highwater(place)
    return end is not None and consumer.position(place) >= end


@dataclass
class Found:
    """What is in the input topics: topic (without its prefix) and partition -> records as they came."""

    settings: Settings
    raw: dict[tuple[str, int], list[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = input_names(self.settings)
        places = [TopicPartition(*each) for each in product(names, range(self.settings.partitions))]
        self.raw = {(names[place.topic], place.partition): [] for place in places}
        consumer = KafkaConsumer(bootstrap_servers=self.settings.kafka, enable_auto_commit=False)
        try:
            consumer.assign(places)
            consumer.seek_to_beginning()
            deadline = time.monotonic() + 30
            while not all(at_end(consumer, place) for place in places):
                assert time.monotonic() < deadline
                for place, records in consumer.poll(timeout_ms=200).items():
                    self.raw[names[place.topic], place.partition] += records
        finally:
            consumer.close()

    def lanes(self) -> list[list[Record]]:
        return [[decode(each.value) for each in records] for records in self.raw.values()]

    def ticks(self) -> set[tuple[Millis, ...]]:
        """The ticks of every topic-partition; one tuple if all have the same."""
        return {tuple(each.ts for each in lane if isinstance(each, Tick)) for lane in self.lanes()}

    def ids(self) -> list[str]:
        return sorted(each.event_id for lane in self.lanes() for each in lane if not isinstance(each, Tick))


def send(settings: Settings, records: Sequence[dict[str, Any]], **options: Any) -> Replay:
    work = Replay(settings, events_of(records), **options)
    work.run()
    return work


def rekindle(*arguments: str | Path) -> Result:
    return CliRunner().invoke(CLI, [str(each) for each in arguments])


def complaint(*arguments: str | Path) -> str:
    result = rekindle(*arguments)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert result.stderr.startswith("rekindle: ")
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix("rekindle: ").rstrip("\n")


def test_every_event_comes_back_as_it_was_to_its_users_partition(kafka: str, given: Given) -> None:
    settings = given(kafka=kafka)
    records = history_of(100)
    work = send(settings, records)
    found = Found(settings)
    back = {each.value: (topic, number, each.key) for (topic, number), lane in found.raw.items() for each in lane}
    assert work.sent == 100
    assert sorted(map(repr, events_of(records))) == sorted(
        repr(decode(value)) for value, place in back.items() if place[2]
    )
    for value, (topic, partition, key) in back.items():
        if key is not None:
            event = json.loads(value)
            assert (topic, key) == (f"events.{event['type']}", event["user_id"].encode())
            assert partition == (murmur2(key) & 0x7FFFFFFF) % PARTITIONS


def test_each_partition_is_in_the_order_of_time_and_ticks_are_true(kafka: str, given: Given) -> None:
    settings = given(kafka=kafka)
    send(settings, history_of(200))
    for lane in Found(settings).lanes():
        assert all(first.ts <= second.ts for first, second in pairwise(lane))
        for first, second in pairwise(lane):
            assert not isinstance(first, Tick) or isinstance(second, Tick) or first.ts < second.ts


def test_every_partition_is_told_each_day_and_the_end(kafka: str, given: Given) -> None:
    settings = given(kafka=kafka)
    work = send(settings, history_of(50))
    days = DAY_0 + DAY_MS - 1, DAY_0 + 2 * DAY_MS - 1
    found = Found(settings)
    assert found.ticks() == {(*days, DAY_0 + 49 * HOUR_MS)}
    assert work.ticks == 3 * 6 * PARTITIONS
    assert all(each.key is None for lane in found.raw.values() for each in lane if b'"tick"' in each.value)
    assert all(isinstance(lane[-1], Tick) for lane in found.lanes())


def test_records_bear_the_time_of_sending(kafka: str, given: Given) -> None:
    settings = given(kafka=kafka)
    before = time.time() * SECOND_MS
    send(settings, history_of(10))
    stamps = [each.timestamp for lane in Found(settings).raw.values() for each in lane]
    assert before - SECOND_MS <= min(stamps) <= max(stamps) <= time.time() * SECOND_MS + SECOND_MS


# hours       0     1     2                                  until
@pytest.mark.parametrize(
    ("until", "tick_every", "ticks"),
    [
        (DAY_0 + DAY_MS, DAY_MS, [DAY_0 + DAY_MS - 1, DAY_0 + DAY_MS]),
        (DAY_0 + 5 * DAY_MS + 1, DAY_MS, [DAY_0 + 5 * DAY_MS - 1, DAY_0 + 5 * DAY_MS + 1]),
        (DAY_0 + 2 * HOUR_MS, DAY_MS, [DAY_0 + 2 * HOUR_MS]),
        (DAY_0 + 2 * HOUR_MS, HOUR_MS, [DAY_0 + HOUR_MS - 1, DAY_0 + 2 * HOUR_MS - 1, DAY_0 + 2 * HOUR_MS]),
        (None, DAY_MS, [DAY_0 + 2 * HOUR_MS]),
    ],
)
def test_ticks_follow_the_boundaries_and_until(
    embedded_kafka: str, given: Given, until: Millis | None, tick_every: Millis, ticks: list[Millis]
) -> None:
    settings = given(kafka=embedded_kafka)
    send(settings, history_of(3), until=until, tick_every=tick_every)
    assert Found(settings).ticks() == {tuple(ticks)}


def test_a_history_of_nothing_says_until_alone(embedded_kafka: str, given: Given) -> None:
    settings = given(kafka=embedded_kafka)
    assert send(settings, []).ticks == 0
    assert send(settings, [], until=DAY_0).sent == 0
    assert Found(settings).ticks() == {(DAY_0,)}


def test_records_larger_than_a_batch_keep_the_order(kafka: str, given: Given) -> None:
    settings = given(kafka=kafka)
    records = [
        click(number, DAY_0 + number, user_id="u", query="x" * (200_000 if number % 3 else 10)) for number in range(20)
    ]
    send(settings, records)
    (lane,) = [lane for lane in Found(settings).lanes() if len(lane) > 1]
    assert [each.event_id for each in lane if not isinstance(each, Tick)] == [f"e{number}" for number in range(20)]


def test_a_history_gives_its_own_bytes(embedded_kafka: str, given: Given, tmp_path: Path) -> None:
    settings = given(kafka=embedded_kafka)
    record = {**click(1, DAY_0), "ts": "2024-01-01T00:00:00Z", "colour": "a field that nobody knows yet"}
    letters: list[DeadLetter] = []
    Replay(settings, History([write_jsonl(tmp_path / "a.jsonl", [record])], dead_letters=letters.append)).run()
    values = [each.value for lane in Found(settings).raw.values() for each in lane if each.key]
    assert [json.loads(value) for value in values] == [record]


@dataclass
class Watch:
    """A clock that only sleeping moves."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def pace(self, **options: float) -> Pace:
        return Pace(clock=self.clock, sleep=self.sleep, **options)


def test_speed_lets_event_time_pass_so_fast(embedded_kafka: str, given: Given) -> None:
    watch = Watch()
    send(given(kafka=embedded_kafka), history_of(49), pace=watch.pace(speed=24 * 3600))
    assert watch.now == pytest.approx(2.0)
    assert max(watch.slept) == pytest.approx(1 / 24)


def test_rate_is_not_exceeded(embedded_kafka: str, given: Given) -> None:
    watch = Watch()
    send(given(kafka=embedded_kafka), history_of(101), pace=watch.pace(rate=10))
    assert watch.now == pytest.approx(10.0)


def test_the_slower_of_speed_and_rate_counts(embedded_kafka: str, given: Given) -> None:
    watch = Watch()
    send(given(kafka=embedded_kafka), history_of(25), pace=watch.pace(speed=24 * 3600, rate=1))
    assert watch.now == pytest.approx(24.0)


def test_without_either_nothing_waits(embedded_kafka: str, given: Given) -> None:
    watch = Watch()
    send(given(kafka=embedded_kafka), history_of(100), pace=watch.pace())
    assert watch.slept == []


def test_at_a_speed_a_quiet_time_has_all_its_ticks(embedded_kafka: str, given: Given) -> None:
    settings = given(kafka=embedded_kafka)
    watch = Watch()
    send(settings, [click(1, DAY_0), click(2, DAY_0 + 3 * DAY_MS)], pace=watch.pace(speed=24 * 3600))
    assert Found(settings).ticks() == {(*(DAY_0 + day * DAY_MS - 1 for day in (1, 2, 3)), DAY_0 + 3 * DAY_MS)}
    assert watch.slept == pytest.approx([1, 1, 1])


def test_what_was_sent_is_at_the_broker_before_a_wait(embedded_kafka: str, given: Given) -> None:
    settings = given(kafka=embedded_kafka)
    seen: list[list[str]] = []
    watch = Watch()

    async def look(seconds: float) -> None:
        await watch.sleep(seconds)
        seen.append(await asyncio.to_thread(lambda: Found(settings).ids()))

    send(settings, history_of(3), pace=Pace(rate=1, clock=watch.clock, sleep=look))
    assert seen == [["e0"], ["e0", "e1"]]


def test_progress_is_told(embedded_kafka: str, given: Given) -> None:
    told: list[tuple[int, Millis]] = []
    records = [click(number, DAY_0 + number) for number in range(9000)]
    work = send(given(kafka=embedded_kafka), records, progress=lambda sent, ts: told.append((sent, ts)))
    assert told == [(4096, DAY_0 + 4095), (8192, DAY_0 + 8191)]
    assert work.sent == 9000


def test_the_command_sends_a_history_and_says_how_much(kafka: str, given: Given, tmp_path: Path) -> None:
    settings = given(kafka=kafka)
    path = write_csv(tmp_path / "a.csv", history_of(30))
    result = rekindle("replay", path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("30 events and 36 ticks sent (")
    assert result.stdout.count("\n") == 1
    assert Found(settings).ids() == sorted(f"e{number}" for number in range(30))


def test_what_cannot_be_sent_is_counted(embedded_kafka: str, given: Given, tmp_path: Path) -> None:
    settings = given(kafka=embedded_kafka)
    bad = write_jsonl(tmp_path / "a.jsonl", [*history_of(30), {"type": "click"}, {"type": "tick", "ts": DAY_0}])
    result = rekindle("replay", bad, "--until", "2024-01-01T04:00:00Z", "--tick-every", "2h")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[1:] == [
        "- dead letters, which cannot be sent: 1",
        "- ticks of the history, which has its own: 1",
        "- events after --until, left out: 25",
    ]
    assert Found(settings).ticks() == {(DAY_0 + 2 * HOUR_MS - 1, DAY_0 + 4 * HOUR_MS - 1, DAY_0 + 4 * HOUR_MS)}


def test_no_broker_is_one_line(given: Given, tmp_path: Path) -> None:
    given(kafka=f"{HOST}:{free_port()}")
    said = complaint("replay", write_jsonl(tmp_path / "a.jsonl", history_of(1)))
    assert said.startswith("no Kafka broker answers at ")
    assert said.endswith("set REKINDLE_KAFKA")


def test_topics_that_do_not_fit_are_one_line(embedded_kafka: str, given: Given, tmp_path: Path) -> None:
    prepare(given(kafka=embedded_kafka, partitions=2))
    given(partitions=3)
    assert "set REKINDLE_PARTITIONS=2" in complaint("replay", write_jsonl(tmp_path / "a.jsonl", history_of(1)))


def test_files_and_settings_that_cannot_be_used_are_one_line(embedded_kafka: str, given: Given, tmp_path: Path) -> None:
    given(kafka=embedded_kafka)
    assert complaint("replay", "gone.jsonl") == "gone.jsonl: there is no such file"
    (tmp_path / "a.parquet").write_bytes(b"PAR1 but not really PAR1")
    assert "cannot be read as parquet" in complaint("replay", "a.parquet")
    (tmp_path / "rekindle.toml").write_text("kafka = 1\n")
    os.environ.pop("REKINDLE_KAFKA")
    assert "REKINDLE_KAFKA" in complaint("replay", write_jsonl(tmp_path / "a.jsonl", history_of(1)))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--speed", value) for value in ("fast", "0", "nan", "0d")),
        *(("--tick-every", value) for value in ("0d", "daily")),
        ("--rate", "0"),
        ("--until", "soon"),
    ],
)
def test_a_wrong_option_is_refused_by_name(given: Given, tmp_path: Path, option: str, value: str) -> None:
    given()
    result = rekindle("replay", write_jsonl(tmp_path / "a.jsonl", history_of(1)), option, value)
    assert result.exit_code == 2
    assert option in result.stderr


@pytest.mark.parametrize(("text", "hours"), [("86400", 24), ("1d", 24), ("43200.0", 12), ("12h", 12)])
def test_a_speed_is_seconds_or_a_length_of_time(
    embedded_kafka: str, given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, hours: int
) -> None:
    given(kafka=embedded_kafka)
    speeds: set[float | None] = set()

    def wait_s(self: Pace, *_: int) -> float:
        speeds.add(self.speed)
        return 0

    monkeypatch.setattr(Pace, "wait_s", wait_s)
    assert rekindle("replay", write_jsonl(tmp_path / "a.jsonl", history_of(2)), "--speed", text).exit_code == 0
    assert speeds == {hours * 3600}


def test_a_broker_that_dies_stops_it_with_one_line(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.replay.outbox.PATIENCE_S", 1)
    with EmbeddedBroker() as broker:
        settings = given(kafka=broker.bootstrap)

        async def die(_seconds: float) -> None:
            await asyncio.to_thread(broker.stop)

        work = Replay(settings, events_of(history_of(50)), pace=Pace(rate=10, sleep=die))
        with pytest.raises(BrokerError) as caught:
            work.run()
    assert "did not take everything" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_interrupt_is_one_line_and_what_it_counts_has_arrived(
    embedded_kafka: str, given: Given, tmp_path: Path
) -> None:
    settings = given(kafka=embedded_kafka)
    path = write_jsonl(tmp_path / "a.jsonl", history_of(1000))
    program = "from tests.test_replay import CLI; CLI()"
    command = [sys.executable, "-W", "ignore", "-c", program, "replay", str(path), "--rate", "50"]
    with subprocess.Popen(  # noqa: S603  our own
        command, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, stderr=subprocess.PIPE, text=True
    ) as process:
        while not prepare_and_count(settings):
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    sent = len(Found(settings).ids())
    assert 0 < sent < 1000
    assert said == f"rekindle: interrupted; {sent:,} events were sent\n"


def prepare_and_count(settings: Settings) -> int:
    prepare(settings)
    return len(Found(settings).ids())
