"""Dead letters: what could not be read or believed, with a reason that a person understands."""

from hashlib import sha256
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

DeadReason: TypeAlias = Literal[
    "empty",
    "too_large",
    "invalid_json",
    "unknown_type",
    "invalid_value",
    "wrong_topic",
    "wrong_partition",
    "too_far_ahead",
]

MAX_PAYLOAD_BYTES: Final = 256 * 1024
KEPT_BYTES: Final = 64 * 1024
DETAIL_CHARACTERS: Final = 500
"""A detail may quote a value, which may be nearly as long as its payload: it is cut, so that the letter can be sent."""


class Rejected(Exception):  # noqa: N818  it is not an error of ours, and names what happened to the record
    """A record that cannot be used. `reason` is for counting, `detail` is a sentence for people."""

    def __init__(self, reason: DeadReason, detail: str) -> None:
        """Keep both parts, so that a dead letter can be made of them."""
        super().__init__(detail)
        self.reason: DeadReason = reason
        self.detail = detail


class DeadLetter(Struct, kw_only=True, frozen=True):
    """A rejected record, where it came from, and as much of it as is kept."""

    topic: Annotated[str, Meta(description="input topic, or the history file's name")]
    partition: int
    offset: Annotated[int, Meta(description="Kafka offset; in a history file the line or row, from 1")]
    reason: DeadReason
    detail: Annotated[str, Meta(description="why, in words; at most 500 characters")]
    payload: Annotated[bytes, Meta(description="base64; of a payload over 256 KB the first 64 KB")]
    size: Annotated[int, Meta(description="bytes of the whole payload, where it was cut")] | UnsetType = UNSET
    sha256: Annotated[str, Meta(description="of the whole payload, where it was cut")] | UnsetType = UNSET


def dead_letter(topic: str, partition: int, offset: int, payload: bytes | None, why: Rejected) -> DeadLetter:
    """The dead letter of a rejected payload; one over 256 KB is cut, and named by its size and SHA-256."""
    body = payload or b""
    cut = len(body) > MAX_PAYLOAD_BYTES
    return DeadLetter(
        topic=topic,
        partition=partition,
        offset=offset,
        reason=why.reason,
        detail=_cut(why.detail),
        payload=body[:KEPT_BYTES] if cut else body,
        size=len(body) if cut else UNSET,
        sha256=sha256(body).hexdigest() if cut else UNSET,
    )


def _cut(text: str) -> str:
    return text if len(text) <= DETAIL_CHARACTERS else f"{text[: DETAIL_CHARACTERS - 1]}\N{HORIZONTAL ELLIPSIS}"
