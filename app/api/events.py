"""POST /api/events: one event or a batch, checked as a worker checks it, and answered when the broker has it."""

from http import HTTPStatus
from typing import Final

import msgspec
from msgspec import Struct

from agents.partition import yet_to_come
from app.api.problem import ProblemError, WrongEvent
from app.api.publisher import Outgoing
from app.api.route import JSON, Asked
from app.clock import now
from app.dead_letters.plan import latest
from schemas.dead_letter import Rejected
from schemas.decode import decode
from schemas.events import TYPE_OF, Tick
from schemas.times import Millis
from schemas.topics import TOPIC_OF_TYPE, Offset, Topic

MOST: Final = 1_000
"""Events of one request."""
LINES: Final = ("application/x-ndjson", "application/jsonl")
"""Media types of JSON Lines."""

_MANY: Final = msgspec.json.Decoder(list[msgspec.Raw])


class Written(Struct, frozen=True):
    """Where an event lies on the broker; the topic without the prefix."""

    topic: Topic
    partition: int
    offset: Offset


class Accepted(Struct, frozen=True):
    """Where each event lies, in the order in which they were sent."""

    events: list[Written]


async def post_events(asked: Asked) -> Accepted:
    """Take events, all or none of them."""
    sources = asked.sources
    payloads = _payloads(asked.request.content_type, await asked.request.read())
    events = _checked(payloads, latest(sources.settings.clock, now()))
    return Accepted([Written(*landed) for landed in await sources.publisher.publish(events)])


def _payloads(media_type: str, body: bytes) -> list[bytes]:
    """The events of a body, one by one."""
    if media_type in LINES:
        found = [line for line in body.splitlines() if line.strip()]
    elif media_type == JSON:
        found = _listed(body) if body.lstrip().startswith(b"[") else [body] if body.strip() else []
    else:
        taken = ", ".join((JSON, *LINES))
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content-Type is {media_type}, none of {taken}")
    if not found:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "there is no event in the body")
    if len(found) > MOST:
        detail = f"{len(found):,} events are too many at once; send at most {MOST:,}"
        raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
    return found


def _listed(body: bytes) -> list[bytes]:
    try:
        return [bytes(each) for each in _MANY.decode(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"the body is no JSON array: {why}") from None


def _checked(payloads: list[bytes], newest: Millis) -> list[Outgoing]:
    found: list[Outgoing] = []
    wrong: list[WrongEvent] = []
    for index, payload in enumerate(payloads):
        try:
            found.append(_outgoing(payload, newest))
        except Rejected as why:
            wrong.append(WrongEvent(index, why.reason, why.detail))
    if wrong:
        number = "1 event is" if len(wrong) == 1 else f"{len(wrong):,} events are"
        detail = f"{number} wrong, so none was sent: `errors` says which and why"
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, wrong)
    return found


def _outgoing(payload: bytes, newest: Millis) -> Outgoing:
    record = decode(payload)
    if isinstance(record, Tick):
        raise Rejected(
            "unknown_type", "`type`: a tick is no event: only a producer that sends all events knows the time"
        )
    if record.ts > newest:
        raise yet_to_come(record.ts)
    return Outgoing(TOPIC_OF_TYPE[TYPE_OF[type(record)]], record.user_id, payload)
