"""From bytes to a checked record, or to a reason why not."""

from typing import Any, Final

import msgspec

from schemas.dead_letter import MAX_PAYLOAD_BYTES, Rejected
from schemas.events import Record
from schemas.times import HOW_TO_WRITE, to_millis

_DECODER: Final[msgspec.json.Decoder[Record]] = msgspec.json.Decoder(Record)
_HINTS: Final = {
    "`$.ts`": f"has no offset, or is not a time: {HOW_TO_WRITE}",
    "`$.tag`": "a tag set by hand has 1 to 64 characters, neither a slash nor a space, and is not lifecycle or"
    " lifecycle.purchase, which follow from events",
}
"""What a pattern asks for, in words."""


def decode(payload: bytes | None) -> Record:
    """The record in a payload, with `ts` in milliseconds.

    Raises Rejected for what is not one JSON object of a known type with believable values.

    >>> decode(b'{"type": "tick", "ts": "1970-01-01T00:00:01Z"}')
    Tick(ts=1000)
    """
    if not payload:
        raise Rejected("empty", "the record has no payload")
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise Rejected("too_large", f"{len(payload)} bytes; at most {MAX_PAYLOAD_BYTES} are taken")
    try:
        record = _DECODER.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _rejected(error) from None
    if record.ts.__class__ is not int:
        record.ts = _millis_of(record.ts)
    return record


def _millis_of(text: Any) -> int:
    try:
        return to_millis(text)
    except ValueError as error:
        raise Rejected("invalid_value", f"`ts`: {error}") from None


def _rejected(error: Exception) -> Rejected:
    """Why a payload could not be decoded, in words."""
    if isinstance(error, RecursionError):
        return Rejected("invalid_json", "nested too deeply")
    if isinstance(error, UnicodeDecodeError):
        return Rejected("invalid_json", "not UTF-8")
    if not isinstance(error, msgspec.ValidationError):
        return Rejected("invalid_json", str(error))
    return _invalid(str(error))


def _invalid(message: str) -> Rejected:
    """The message of msgspec, with the field first: "`price`: Expected `float` >= 0.0"."""
    problem, _, path = message.partition(" - at ")
    if path == "`$.type`" or "required field `type`" in problem:
        return Rejected("unknown_type", f"`type`: {problem}")
    text = _HINTS.get(path, problem) if "matching regex" in problem else problem
    return Rejected("invalid_value", f"{path.replace('$.', '')}: {text}" if path else text)
