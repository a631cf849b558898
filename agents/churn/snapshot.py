"""Snapshots of models as records of a compacted topic: cut into parts that a broker takes, whole or not at all.

```
key      model/0   model/1   model/2          each of a newer version takes the place of the older one's
value    v7 1/3    v7 2/3    v7 3/3           read back once all parts of a version are there
```

Plain numbers in MessagePack: nothing in a snapshot is ever executed.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct
from xxhash import xxh3_64_intdigest

from agents.churn.catalogue import FINGERPRINT
from schemas.times import Millis

PART_BYTES: Final = 800_000
_KEY: Final = b"model/"
_FEATURES: Final = int(FINGERPRINT, 16)

Record = tuple[bytes, bytes | None]


class Snapshot(Struct, frozen=True):
    """What a scorer needs of the models as of an instant of a grid."""

    as_of: Millis
    every_ms: Millis
    horizon_ms: Millis
    body: bytes


class _Part(Struct, array_like=True, frozen=True):
    as_of: Millis
    every_ms: Millis
    horizon_ms: Millis
    features: int
    digest: int
    parts: int
    body: bytes


class SnapshotError(ValueError):
    """A snapshot that this version cannot read; the text is one line."""


def records_of(snapshot: Snapshot, slots: int = 0) -> list[Record]:
    """A snapshot as records, and the end of those beyond them among the `slots` that were taken before."""
    digest = xxh3_64_intdigest(snapshot.body)
    bodies = [snapshot.body[at : at + PART_BYTES] for at in range(0, len(snapshot.body), PART_BYTES)]
    head = snapshot.as_of, snapshot.every_ms, snapshot.horizon_ms, _FEATURES, digest, len(bodies)
    parts = [_Part(*head, body) for body in bodies]
    records: list[Record] = [(_key(number), msgspec.msgpack.encode(part)) for number, part in enumerate(parts)]
    return [*records, *((_key(number), None) for number in range(len(parts), slots))]


class Newest:
    """Folds records into the newest snapshot that is whole."""

    def __init__(self) -> None:
        self._parts: dict[bytes, _Part] = {}

    @property
    def slots(self) -> int:
        """How many records the newest snapshot takes."""
        return len(self._parts)

    def read(self, records: Iterable[tuple[bytes | None, bytes | None]]) -> None:
        """Take the next records. Raises SnapshotError for what is none of ours."""
        for key, value in records:
            if value is None:
                self._parts.pop(key or b"", None)
                continue
            try:
                self._parts[key or b""] = msgspec.msgpack.decode(value, type=_Part)
            except msgspec.MsgspecError:
                raise SnapshotError("a record of the models' topic is damaged") from None

    def snapshot(self) -> Snapshot | None:
        """The newest one, if all of it is there. Raises SnapshotError for one that goes by other features."""
        parts = _in_order(self._parts)
        if not parts or len({part.digest for part in parts}) > 1 or len(parts) != parts[0].parts:
            return None
        first, body = parts[0], b"".join(part.body for part in parts)
        if xxh3_64_intdigest(body) != first.digest:
            return None
        if first.features != _FEATURES:
            raise SnapshotError("the models were trained by another version of Rekindle, on other features")
        return Snapshot(first.as_of, first.every_ms, first.horizon_ms, body)


def _key(number: int) -> bytes:
    return _KEY + b"%d" % number


def _in_order(parts: dict[bytes, _Part]) -> Sequence[_Part]:
    return [parts[_key(number)] for number in range(len(parts)) if _key(number) in parts]
