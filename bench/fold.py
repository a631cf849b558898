"""What one event costs in the pure core: decode alone, then decode + merge + fold, per event, in one run."""

from collections.abc import Callable
from time import process_time

from agents.limits import DEFAULT_LIMITS
from agents.partition import Partition
from bench.load import payloads
from schemas.decode import decode
from schemas.events import TYPE_OF, Tick
from schemas.topics import INPUT_TOPICS, TOPIC_OF_TYPE
from tables.table import Table

CHUNK = 1_000


def main(events: int = 300_000, users: int = 30_000) -> None:
    """Print both, and their ratio."""
    load = list(payloads(events, users))
    floor = _cpu_us(lambda: [decode(payload) for payload in load], events)
    lanes: dict[str, list[bytes]] = {topic: [] for topic in INPUT_TOPICS}
    for payload in load:
        record = decode(payload)
        if not isinstance(record, Tick):
            lanes[TOPIC_OF_TYPE[TYPE_OF[type(record)]]].append(payload)
    partition = Partition(0, DEFAULT_LIMITS, Table())
    whole = _cpu_us(lambda: _drive(partition, lanes), events)
    size = sum(map(len, partition.table.encoded_rows().values())) / len(partition.table)
    print(f"events {events}, users {users}, rows {len(partition.table)}, {size:.0f} bytes a row")
    print(f"decode alone                     {floor:6.2f} us an event")
    print(f"decode + merge + fold + encode   {whole:6.2f} us an event, {whole / floor:.1f} times decode")


def _drive(partition: Partition, lanes: dict[str, list[bytes]]) -> None:
    """Each topic in chunks in proportion to its size, a tick and an epoch after each round, as live."""
    rounds = max(len(lane) for lane in lanes.values()) // CHUNK + 1
    for number in range(rounds):
        for topic, lane in lanes.items():
            start, stop = (len(lane) * each // rounds for each in (number, number + 1))
            partition.take(topic, enumerate(lane[start:stop], start))
        newest = max(decode(lane[len(lane) * (number + 1) // rounds - 1]).ts for lane in lanes.values() if lane)
        for topic, lane in lanes.items():
            partition.take(topic, [(len(lane), b'{"type":"tick","ts":%d}' % (newest - 1))])
        while not partition.run():
            pass
        partition.collect()


def _cpu_us(work: Callable[[], object], events: int) -> float:
    started = process_time()
    work()
    return (process_time() - started) / events * 1e6


if __name__ == "__main__":
    main()
