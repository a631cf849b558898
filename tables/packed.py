"""Parts of a row that most events carry along without a look at them."""

from collections.abc import Callable
from typing import Any, Final, Generic, Self, TypeVar, overload

from msgspec import msgpack

Part = TypeVar("Part")

_PACK: Final = msgpack.Encoder().encode


class Packed(Generic[Part]):
    """A part of a row, unpacked anew each time it is read: who changes it has to assign it again.

    Few events look at it: all others carry it along at no cost, however large it is. The bytes lie in the field
    `packed_<name>` (MessagePack; None: the part is empty).
    """

    def __init__(self, part: Any, empty: Callable[[], Part]) -> None:
        self._unpack: Callable[[bytes], Part] = msgpack.Decoder(part).decode
        self._empty = empty

    def __set_name__(self, _owner: type, name: str) -> None:
        self._field = f"packed_{name}"

    @overload
    def __get__(self, row: None, _owner: type) -> Self: ...
    @overload
    def __get__(self, row: object, _owner: type) -> Part: ...
    def __get__(self, row: object | None, _owner: type) -> Self | Part:
        if row is None:
            return self
        packed = getattr(row, self._field)
        return self._empty() if packed is None else self._unpack(packed)

    def __set__(self, row: object, part: Part) -> None:
        setattr(row, self._field, _PACK(part) if part else None)
