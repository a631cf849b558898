"""A row as bytes, and back.

Layout: 1 byte codec version, 8 bytes due time (big-endian, unsigned ms; 2**63 - 1: none), then the row's fields as a
MessagePack array. A restore fills the timers from the header alone, without decoding rows.

A newer version only appends fields, each with a default: the shorter array of an older version loads as it is, and an
older version passes over what it does not know. A version that changes what anything in the changelog means has a
greater number, and has to convert the older array in `decode` (docs/upgrading.md).
"""

from struct import Struct
from typing import Final

import msgspec

from schemas.times import Millis
from tables.row import Row

VERSION: Final = 3
"""2: rows know what campaigns have triggered, which a version before would forget, and trigger again. 3: days of moves,
which a version before takes for damage."""
HEADER: Final = Struct(">BQ")


class UnreadableError(ValueError):
    """What is stored cannot be read; the text is one line that says what to do."""


class UnknownVersionError(UnreadableError):
    """It was written by a newer version of Rekindle."""


class DamagedError(UnreadableError):
    """It is nothing that any version of Rekindle wrote."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} of the changelog is damaged: bring the changelog back from a copy, or begin anew with another"
            " REKINDLE_APP_ID and replay the history"
        )


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

    Raises UnknownVersionError for those of a newer version, DamagedError for what is no row.
    """
    check(encoded)
    try:
        return _DECODER.decode(memoryview(encoded)[HEADER.size :])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DamagedError("a row") from error


def check(encoded: bytes) -> None:
    """Look at the header alone; raises as `decode` does."""
    if len(encoded) < HEADER.size:
        raise DamagedError("a row")
    if encoded[0] > VERSION:
        raise UnknownVersionError(f"row of version {encoded[0]}; this Rekindle knows {VERSION}: upgrade this worker")
