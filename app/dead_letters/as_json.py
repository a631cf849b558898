"""A dead letter as one line of JSON, which a person can correct by hand and give back."""

import re
from typing import Any, Final

import msgspec

from app.dead_letters.letter import Letter
from app.dead_letters.state import State

# JSON lets them stand as they are, but terminals act on the first, and some readers of lines break at the last.
_ACTING: Final = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]")


def as_json(letter: Letter, state: State) -> bytes:
    """One line, without its end: the payload is `event` where it is valid JSON, else `payload` in base64."""
    event = event_of(letter.payload)
    fields: dict[str, Any] = {
        "at": letter.at,
        "topic": letter.place.topic,
        "partition": letter.place.partition,
        "offset": letter.place.offset,
        "reason": letter.reason,
        "detail": letter.detail,
        "size": letter.size,
        "state": state.value,
        **({"payload": letter.payload} if event is None else {"event": msgspec.Raw(event)}),
    }
    return harmless(msgspec.json.encode(fields).decode()).encode()


def event_of(payload: bytes) -> bytes | None:
    r"""A payload in one line, its numbers and texts as they were written; None where it is not valid JSON.

    >>> event_of(b'{"ts": 1.50, \n "a": "x"}'), event_of(b'{"ts": ')
    (b'{"ts":1.50,"a":"x"}', None)
    """
    try:
        msgspec.json.decode(payload)
        return msgspec.json.format(payload, indent=-1)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def harmless(line: str) -> str:
    """The same JSON, with escapes in place of characters that would act on a terminal."""
    return _ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", line)
