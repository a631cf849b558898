"""A dead letter as it lies on its topic, known by the place of the record that could not be used."""

from typing import Final, NamedTuple

import msgspec

from schemas.dead_letter import DeadLetter, DeadReason
from schemas.times import Millis
from schemas.topics import Offset, Topic

_DECODER: Final = msgspec.json.Decoder(DeadLetter)


class Place(NamedTuple):
    """Where a record lies; the topic's name is without the prefix."""

    topic: Topic
    partition: int
    offset: Offset

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def key(self) -> bytes:
        """The key of the dead letter of this record, and of the mark that it was redriven."""
        return str(self).encode()


class Letter(NamedTuple):
    """One dead letter. `at`: when it became one. `size`: bytes of the whole payload, of which a cut one has a part."""

    at: Millis
    place: Place
    reason: DeadReason
    detail: str
    payload: bytes
    size: int
    is_cut: bool


def letter_of(at: Millis, value: bytes | None) -> Letter | None:
    """The dead letter in a record of their topic, written at a time; None where there is none."""
    try:
        read = _DECODER.decode(value or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    is_cut = isinstance(read.size, int)
    return Letter(
        at=at,
        place=Place(read.topic, read.partition, read.offset),
        reason=read.reason,
        detail=read.detail,
        payload=read.payload,
        size=read.size if isinstance(read.size, int) else len(read.payload),
        is_cut=is_cut,
    )
