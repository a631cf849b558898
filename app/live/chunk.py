"""What the lane hands over."""

from collections.abc import Collection
from typing import NamedTuple, Protocol

from schemas.times import Millis
from schemas.topics import Offset, Topic


class InputRecord(Protocol):
    """A record of an input topic. `timestamp`: when it came, as its producer or the broker says; -1: nobody does."""

    offset: Offset
    timestamp: Millis
    value: bytes | None


class Chunk(NamedTuple):
    """What was read of one topic-partition in one go: everything from `start` to before `end`."""

    topic: Topic
    partition: int
    start: Offset
    end: Offset
    highwater: Offset
    records: Collection[InputRecord]
