r"""The changelog of one partition: rows by user, and after the rows of each epoch a marker.

```
key        u1    u7    \xffoutput/0    \xffmarker   |  u2    u1    \xffmarker   |  u9
value      row   row   an output       Marker       |  row   null  Marker       |  row
           ------------- epoch 41 -------------        ----- epoch 42 -----        no marker: never happened
```

The marker's key is always the same, so that compaction keeps the last one; rows of older epochs are covered by any
later marker. No key of ours can be a user's: 0xff is in no UTF-8. Without Kafka's transactions the outputs of an epoch
lie in it too, so that they can be published again.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

import msgspec

from schemas.times import Millis
from schemas.topics import Topic
from tables.census import Census
from tables.merge import Position

MARKER_KEY: Final = b"\xffmarker"
OUTPUT_PREFIX: Final = b"\xffoutput/"
_OURS: Final = 0xFF

Record: TypeAlias = tuple[bytes, bytes | None]
"""Key and value; a value of None deletes."""


class State(msgspec.Struct, kw_only=True, frozen=True):
    """Where a partition stands: enough, with its rows, to go on from."""

    positions: dict[Topic, Position]
    watermark: Millis
    census: Census
    counters: dict[str, int]


class Marker(msgspec.Struct, kw_only=True, frozen=True):
    """What was true of a partition when an epoch ended, and how many outputs the epoch stored."""

    generation: int
    epoch: int
    state: State
    outputs: int = 0


class Output(NamedTuple):
    """A record for a topic that others read."""

    topic: Topic
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


class _StoredOutput(msgspec.Struct, array_like=True, frozen=True):
    epoch: int
    output: Output


_DECODE_MARKER: Final = msgspec.json.Decoder(Marker).decode
_DECODE_OUTPUT: Final = msgspec.msgpack.Decoder(_StoredOutput).decode


def marker_record(marker: Marker) -> Record:
    """The marker as the last record of its epoch."""
    return MARKER_KEY, msgspec.json.encode(marker)


def output_record(number: int, epoch: int, output: Output) -> Record:
    """An epoch's output of that number as a record of the changelog; the next epoch's takes its place."""
    return OUTPUT_PREFIX + b"%d" % number, msgspec.msgpack.encode(_StoredOutput(epoch, output))


class Restore:
    """Folds a changelog into what was true at its last marker.

    >>> marker = Marker(generation=1, epoch=1, state=State(positions={}, watermark=5, census={}, counters={}))
    >>> restore = Restore()
    >>> restore.read([(b"u1", b"row"), marker_record(marker), (b"u1", b"torn")])
    >>> restore.rows, restore.marker == marker
    ({b'u1': b'row'}, True)
    """

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.marker: Marker | None = None
        self.records = 0
        self._pending: dict[bytes, bytes | None] = {}
        self._outputs: dict[bytes, _StoredOutput] = {}

    def read(self, records: Iterable[Record]) -> None:
        """Take the next records of the changelog."""
        for key, value in records:
            self.records += 1
            if key[0] != _OURS:
                self._pending[key] = value
            elif value is not None:
                self._read_ours(key, value)

    @property
    def outputs(self) -> list[Output]:
        """The outputs of the last epoch, where they were stored with it and may not have been published.

        Where a later epoch has begun to take their place, they were: it begins only then.
        """
        if self.marker is None:
            return []
        stored = [self._outputs.get(OUTPUT_PREFIX + b"%d" % number) for number in range(self.marker.outputs)]
        return [each.output for each in stored if each is not None and each.epoch == self.marker.epoch]

    @property
    def torn(self) -> list[Record]:
        """What is true of the users whose rows were written after the last marker.

        It has to be written with the next epoch: its marker would else make true what was torn. (Transactions leave
        nothing torn.)
        """
        return [(user, self.rows.get(user)) for user in self._pending]

    def _read_ours(self, key: bytes, value: bytes) -> None:
        if key != MARKER_KEY:
            self._outputs[key] = _DECODE_OUTPUT(value)
            return
        marker = _DECODE_MARKER(value)
        if self.marker is None or marker.generation >= self.marker.generation:
            self.marker = marker
            self._settle()
        self._pending = {}

    def _settle(self) -> None:
        """The rows read since the last marker are true."""
        for user, row in self._pending.items():
            if row is None:
                self.rows.pop(user, None)
            else:
                self.rows[user] = row
