"""The law: whatever the arrival order, the chunks and the partitions, the effective history is the oracle's."""

import msgspec
from hypothesis import given, settings

from agents.limits import Limits, Span
from agents.partition import Partition
from agents.rules.rulebook import NO_RULES, Rulebook
from schemas.changes import TagChange
from tables.table import Table
from tests.oracle import effective, follow, history
from tests.storms import Storm, storms


def limits_of(storm: Storm) -> Limits:
    own = storm.limits
    return Limits(
        lifecycle=Span(own.silent_ms, own.lost_ms),
        purchase=Span(own.purchase_silent_ms, own.purchase_lost_ms),
        allowed_lateness_ms=storm.lateness_ms,
    )


def drive(storm: Storm, epoch_chunks: int = 3, rulebook: Rulebook = NO_RULES) -> list[Partition]:
    """Feed a storm as a consumer would; every few chunks an epoch after which all rows are cold."""
    numbers, limits = range(storm.partitions), limits_of(storm)
    partitions = [Partition(number, limits, Table(max_hot=0), rulebook=rulebook) for number in numbers]
    changes = [list[TagChange]() for _ in partitions]
    for turn, (number, topic, offset, payloads) in enumerate(storm.chunks()):
        partitions[number].take(topic, enumerate(payloads, offset))
        partitions[number].run()
        if turn % epoch_chunks == 0:
            changes[number] += partitions[number].table.collect().changes
    for number, partition in enumerate(partitions):
        partition.table.changes[:0] = changes[number]
    return partitions


def said_by(partitions: list[Partition]) -> list[dict[str, object]]:
    changes = [change for partition in partitions for change in partition.table.changes]
    records: list[dict[str, object]] = msgspec.json.decode(msgspec.json.encode(changes))
    return records


@settings(max_examples=400)
@given(storms())
def test_the_effective_history_is_the_oracles(storm: Storm) -> None:
    partitions = drive(storm)
    said = said_by(partitions)
    assert not any(partition.dead_letters for partition in partitions)
    assert effective(said) == history(storm.all_arrivals(), storm.watermark, storm.limits)
    assert follow(said) == {
        user: {tag: changes[-1][2] for tag, changes in tags.items()} for user, tags in effective(said).items()
    }
