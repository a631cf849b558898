r"""The changelog of one partition: rows by user, and after the rows of each epoch a marker.

```
key        u1    u7    \xffoutput/0    \xffmarker   |  u2    u1    \xffmarker   |  u9
value      row   row   an output       Marker       |  row   null  Marker       |  row
           ------------- epoch 41 -------------        ----- epoch 42 -----        no marker: never happened
```

The marker's key is always the same, so that compaction keeps the last one; rows of older epochs are covered by any
later marker. No key of ours can be a user's: 0xff is in no UTF-8. Without Kafka's transactions the outputs of an epoch
lie in it too, so that they can be published again. A day (of the ledger, of moves) is a record that is true with its
epoch, as a row is.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias

import msgspec

from schemas.times import Millis
from schemas.topics import Topic
from tables.census import Census
from tables.codec import VERSION, DamagedError, UnknownVersionError
from tables.control import NOTHING_TOLD, Control
from tables.ledger import LEDGER_PREFIX
from tables.merge import Position
from tables.moves import MOVES_PREFIX

MARKER_KEY: Final = b"\xffmarker"
OUTPUT_PREFIX: Final = b"\xffoutput/"
_OURS: Final = b"\xff"
_DAYS: Final = (LEDGER_PREFIX, MOVES_PREFIX)

Record: TypeAlias = tuple[bytes, bytes | None]
"""Key and value; a value of None deletes."""


class State(msgspec.Struct, kw_only=True, frozen=True):
    """Where a partition stands: enough, with its rows, to go on from.

    `furthest`: how far time had come for any event, where topics do not wait for each other (a clock on the wall).
    `rules_mark`: of the rulebook by which every row was looked at. `swept`: the last instant of the churn grid as of
    which all users were sampled (-1: none), and of the next one all up to the user `swept_to`. `control`: what people
    told its campaigns. `moves_since`: what was said of times up to it may be missing in the days of moves; None: they
    are not counted yet, by a version before.
    """

    positions: dict[Topic, Position]
    watermark: Millis
    census: Census
    counters: dict[str, int]
    furthest: Millis = 0
    rules_mark: int = 0
    swept: Millis = -1
    swept_to: str = ""
    control: Control = NOTHING_TOLD
    moves_since: Millis | None = None

    @property
    def reached(self) -> Millis:
        """How far time had come for anything that was said."""
        return max(self.watermark, self.furthest, *(position.bound or 0 for position in self.positions.values()), 0)


class Marker(msgspec.Struct, kw_only=True, frozen=True):
    """What was true of a partition when an epoch ended, and how many outputs the epoch stored.

    `partitions`: how many the topics had; 0 where it was written before this was noted. `version`: that of the codec.
    """

    generation: int
    epoch: int
    state: State
    outputs: int = 0
    partitions: int = 0
    version: int = VERSION


class Output(NamedTuple):
    """A record for a topic that others read."""

    topic: Topic
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


class _StoredOutput(msgspec.Struct, array_like=True, frozen=True):
    epoch: int
    output: Output


class _Versioned(msgspec.Struct, frozen=True):
    version: int = VERSION


_DECODE_MARKER: Final = msgspec.json.Decoder(Marker).decode
_DECODE_VERSION: Final = msgspec.json.Decoder(_Versioned).decode
_DECODE_OUTPUT: Final = msgspec.msgpack.Decoder(_StoredOutput).decode


def marker_record(marker: Marker) -> Record:
    """The marker as the last record of its epoch."""
    return MARKER_KEY, msgspec.json.encode(marker)


def output_record(number: int, epoch: int, output: Output) -> Record:
    """An epoch's output of that number as a record of the changelog; the next epoch's takes its place."""
    return output_key(number), msgspec.msgpack.encode(_StoredOutput(epoch, output))


def output_key(number: int) -> bytes:
    """The key of an epoch's output of that number."""
    return OUTPUT_PREFIX + b"%d" % number


def output_records(epoch: int, outputs: Sequence[Output], slots: int) -> list[Record]:
    """An epoch's outputs as records, and the end of those beyond them among the `slots` that were taken before.

    These were published, and name users who may be erased by now.
    """
    stored = [output_record(number, epoch, output) for number, output in enumerate(outputs)]
    return [*stored, *((output_key(number), None) for number in range(len(stored), slots))]


def slots_of(records: Iterable[Record]) -> int:
    """How many slots the outputs take, as far as these records tell."""
    taken = (int(key.removeprefix(OUTPUT_PREFIX)) + 1 for key, _ in records if key.startswith(OUTPUT_PREFIX))
    return max(taken, default=0)


def is_user(key: bytes) -> bool:
    """Whether a record of the changelog is a row."""
    return key[:1] != _OURS


def read_marker(value: bytes) -> Marker:
    """The marker in a record's value.

    Raises UnknownVersionError for one of a newer version, however it is made; DamagedError for what is no marker.
    """
    try:
        if (version := _DECODE_VERSION(value).version) > VERSION:
            raise UnknownVersionError(
                f"the changelog is of version {version}; this Rekindle knows {VERSION}: upgrade this worker"
            )
        return _DECODE_MARKER(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedError("a marker") from error


class Restore:
    """Folds a changelog into what was true at its last marker.

    `read` raises UnknownVersionError for what a newer version wrote, DamagedError for what is none of ours. It looks
    into no row: the table does.

    >>> marker = Marker(generation=1, epoch=1, state=State(positions={}, watermark=5, census={}, counters={}))
    >>> restore = Restore()
    >>> restore.read([(b"u1", b"row"), marker_record(marker), (b"u1", b"torn")])
    >>> restore.rows, restore.marker == marker
    ({b'u1': b'row'}, True)
    """

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.days: dict[bytes, bytes] = {}
        self.marker: Marker | None = None
        self.records = 0
        self._pending: dict[bytes, bytes | None] = {}
        self._outputs: dict[bytes, _StoredOutput] = {}

    def read(self, records: Iterable[Record]) -> None:
        """Take the next records of the changelog."""
        for key, value in records:
            self.records += 1
            if is_user(key) or key.startswith(_DAYS):
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
        stored = [self._outputs.get(output_key(number)) for number in range(self.marker.outputs)]
        return [each.output for each in stored if each is not None and each.epoch == self.marker.epoch]

    @property
    def torn(self) -> list[Record]:
        """What is true of the users whose rows were written after the last marker.

        It has to be written with the next epoch: its marker would else make true what was torn. (Transactions leave
        nothing torn.)
        """
        return [(key, self._true(key).get(key)) for key in self._pending]

    def _read_ours(self, key: bytes, value: bytes) -> None:
        if key != MARKER_KEY:
            self._outputs[key] = _read_output(value)
            return
        marker = read_marker(value)
        if self.marker is None or marker.generation >= self.marker.generation:
            self.marker = marker
            self._settle()
        self._pending = {}

    def _settle(self) -> None:
        """What was read since the last marker is true."""
        for key, value in self._pending.items():
            if value is None:
                self._true(key).pop(key, None)
            else:
                self._true(key)[key] = value

    def _true(self, key: bytes) -> dict[bytes, bytes]:
        return self.rows if is_user(key) else self.days


def _read_output(value: bytes) -> _StoredOutput:
    try:
        return _DECODE_OUTPUT(value)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DamagedError("an output") from error
