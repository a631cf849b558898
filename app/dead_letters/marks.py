"""Marks: which dead letters were redriven, and where the records lie that were sent for them."""

from typing import Final

import msgspec

from app.dead_letters.letter import Place
from schemas.times import Millis
from schemas.topics import Offset, Topic


class Mark(msgspec.Struct, frozen=True):
    """That a dead letter was redriven at `at`, as the record at this place."""

    topic: Topic
    partition: int
    offset: Offset
    at: Millis


_DECODER: Final = msgspec.json.Decoder(Mark)


class Marks:
    """All marks, read from records whose key is the place of a dead letter.

    `redriven`: keys of letters that were sent again. `sent`: keys of the places that they were sent to.
    """

    def __init__(self) -> None:
        self.redriven: set[bytes] = set()
        self.sent: set[bytes] = set()

    def read(self, key: bytes | None, value: bytes | None) -> None:
        """Take one record; a mark that cannot be read still counts: nothing is sent twice because of it."""
        if key is None or value is None:
            return
        self.redriven.add(key)
        try:
            mark = _DECODER.decode(value)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return
        self.sent.add(Place(mark.topic, mark.partition, mark.offset).key)


def mark_record(letter: Place, sent_to: Place, at: Millis) -> tuple[bytes, bytes]:
    """The record, key and value, that says that a letter was redriven to a place.

    >>> mark_record(Place("events.cart", 1, 7), Place("events.click", 0, 9), 5)
    (b'events.cart/1/7', b'{"topic":"events.click","partition":0,"offset":9,"at":5}')
    """
    return letter.key, msgspec.json.encode(Mark(*sent_to, at))
