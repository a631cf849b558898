"""From bytes to a checked record, or to a reason why not."""

from typing import Any, Final

import msgspec

from schemas.dead_letter import MAX_PAYLOAD_BYTES, DeadReason, Rejected
from schemas.events import Record
from schemas.times import MAX_TS, to_millis

_DECODER: Final[msgspec.json.Decoder[Record]] = msgspec.json.Decoder(Record)
_HINTS: Final = {
    "Expected `datetime` with a timezone component": "has no offset: write 2026-01-31T12:00:00Z, or ms since 1970",
    "Invalid RFC3339 encoded datetime": "is not a time: write 2026-01-31T12:00:00Z, or ms since 1970",
}
_TAG_HINT: Final = (
    "a tag set by hand has 1 to 64 characters, neither a slash nor a space, and is not lifecycle or lifecycle.purchase,"
    " which follow from events"
)


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
        record.ts = _checked_millis(record.ts)
    return record


def _checked_millis(moment: Any) -> int:
    ts = to_millis(moment)
    if not 0 < ts < MAX_TS:
        raise Rejected("invalid_value", f"`ts`: {moment.isoformat()} lies outside 1970 to 2100")
    return ts


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
    reason: DeadReason = "unknown_type" if path == "`$.type`" else "invalid_value"
    text = _TAG_HINT if path == "`$.tag`" and "regex" in problem else _HINTS.get(problem, problem)
    return Rejected(reason, f"{path.replace('$.', '')}: {text}" if path else text)
