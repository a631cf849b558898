"""A payload that a partition would take: checked as it will be checked when it is read."""

from typing import NamedTuple

from agents.partition import yet_to_come
from app.dead_letters.letter import Place
from schemas.dead_letter import Rejected
from schemas.decode import decode
from schemas.events import TYPE_OF, Tick, UserId
from schemas.times import Millis
from schemas.topics import TOPIC_OF_TYPE, Topic


class Ready(NamedTuple):
    """An event that can be sent for a dead letter: to the topic of its type, keyed by its user."""

    letter: Place
    topic: Topic
    user_id: UserId
    payload: bytes


def ready(letter: Place, payload: bytes, latest: Millis) -> Ready:
    """The event of a payload. `latest`: the newest time that is believed.

    Raises Rejected for what would become a dead letter again, and for a tick: it has no user to be sent for, and newer
    ones have told the time since.
    """
    record = decode(payload)
    if isinstance(record, Tick):
        raise Rejected("unknown_type", "`type`: a tick is no event, and is not sent again")
    if record.ts > latest:
        raise yet_to_come(record.ts)
    return Ready(letter, TOPIC_OF_TYPE[TYPE_OF[type(record)]], record.user_id, payload)
