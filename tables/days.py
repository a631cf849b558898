"""What a partition counts by UTC day. A day is one record of the changelog, written with the epoch in which it changed.

So it counts exactly what the rows have seen, whatever is killed.
"""

from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeAlias, TypeVar

import msgspec

from tables.codec import DamagedError

Records: TypeAlias = Mapping[bytes, bytes | None]
"""Days as records of the changelog; None: nothing is left of it."""

D = TypeVar("D")

_ENCODE: Final = msgspec.msgpack.Encoder().encode


class Kind(Generic[D]):
    """One kind of days. `prefix`: of its keys. `name`: of a day, in errors. `new`: an empty one."""

    def __init__(self, prefix: bytes, name: str, new: Callable[[], D], decoder: "msgspec.msgpack.Decoder[D]") -> None:
        self.prefix = prefix
        self.new = new
        self._name = name
        self._decode = decoder.decode

    def read(self, records: Records) -> dict[int, D]:
        """The days of this kind, by number since 1970. Raises DamagedError for what is none of ours."""
        mine = ((key, value) for key, value in records.items() if key.startswith(self.prefix) and value is not None)
        try:
            return {int(key.removeprefix(self.prefix)): self._decode(value) for key, value in mine}
        except (msgspec.MsgspecError, ValueError) as error:
            raise DamagedError(self._name) from error


class Days(dict[int, D]):
    """The days of one kind, by number since 1970, and which of them have changed since the last epoch."""

    def __init__(self, kind: Kind[D]) -> None:
        super().__init__()
        self._kind = kind
        self._changed: set[int] = set()

    def to_change(self, number: int) -> D:
        """The day of a number; the next epoch writes it."""
        self._changed.add(number)
        day = self.get(number)
        if day is None:
            day = self[number] = self._kind.new()
        return day

    def collect(self) -> dict[bytes, bytes | None]:
        """The days that have changed since the last epoch; those of which nothing is left are forgotten."""
        changed, self._changed = sorted(self._changed), set()
        return {self._kind.prefix + b"%d" % number: self._encoded(number) for number in changed}

    def _encoded(self, number: int) -> bytes | None:
        if not self[number]:
            del self[number]
            return None
        return _ENCODE(self[number])

    def resume(self, records: Records) -> None:
        """Go on from what was written. Raises DamagedError for what is none of ours."""
        self.clear()
        self.update(self._kind.read(records))
        self._changed = set()
