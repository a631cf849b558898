"""A row as bytes, and back.

Layout: 1 byte codec version, 8 bytes due time (big-endian, unsigned ms; 2**63 - 1: none), then the row's fields as a
MessagePack array. A restore fills the timers from the header alone, without decoding rows.

A newer version only appends fields, each with a default: the shorter array of an older version loads as it is. A
version that changes what a field means has to convert the older array in `decode`.
"""

from struct import Struct
from typing import Final

import msgspec

from schemas.times import Millis
from tables.row import Row

VERSION: Final = 1
HEADER: Final = Struct(">BQ")


class UnknownVersionError(ValueError):
    """The row was written by a newer version of Rekindle."""


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Row)


def encode(row: Row) -> bytes:
    """The bytes of a row.

    >>> decode(encode(Row(sequence=7))).sequence
    7
    """
    return HEADER.pack(VERSION, row.due) + _ENCODER.encode(row)


def due_of(encoded: bytes) -> Millis:
    """The due time in the header.

    >>> due_of(encode(Row(due=5)))
    5
    """
    due: Millis = HEADER.unpack_from(encoded)[1]
    return due


def decode(encoded: bytes) -> Row:
    """The row of some bytes, also of those that an older version wrote.

    Raises UnknownVersionError for those of a newer version.
    """
    if encoded[0] > VERSION:
        raise UnknownVersionError(f"row of version {encoded[0]}; this Rekindle knows {VERSION}: upgrade this worker")
    return _DECODER.decode(memoryview(encoded)[HEADER.size :])
