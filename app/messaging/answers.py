"""What a messaging system might report of a trigger: made up, the same whenever it is asked, and labelled so."""

from collections.abc import Iterator
from typing import Final

import xxhash

from app.demo.labels import labelled_id
from app.demo.simulated import seeded
from app.messaging.rates import Rates
from schemas.events import Message, MessageKind
from schemas.recall import RecallTrigger
from schemas.times import MINUTE_MS, SECOND_MS, Millis

_SENT_AFTER: Final = (SECOND_MS, MINUTE_MS)
_DELIVERED_AFTER: Final = (SECOND_MS, 10 * SECOND_MS)
_CLICKED_AFTER: Final = (2 * SECOND_MS, 3 * MINUTE_MS)
_UNSUBSCRIBED_AFTER: Final = (5 * SECOND_MS, 5 * MINUTE_MS)


def answers(trigger: RecallTrigger, rates: Rates, seed: int) -> list[Message]:
    """The reports in the order of time; the first is `sent` or `failed`, some seconds after the trigger."""
    return sorted(
        (_message(trigger, kind, ts) for kind, ts in _story(trigger, rates, seed)), key=lambda message: message.ts
    )


def _story(trigger: RecallTrigger, rates: Rates, seed: int) -> Iterator[tuple[MessageKind, Millis]]:
    random = seeded(seed, trigger.id)
    ts = trigger.at + random.randint(*_SENT_AFTER)
    if random.random() < rates.failed:
        yield "failed", ts
        return
    yield "sent", ts
    if random.random() >= rates.delivered:
        return
    ts += random.randint(*_DELIVERED_AFTER)
    yield "delivered", ts
    opened_at = ts + 1 + int(random.expovariate(1 / rates.opens_after_ms))
    if random.random() < rates.opened:
        yield "opened", opened_at
        if random.random() < rates.clicked:
            yield "clicked", opened_at + random.randint(*_CLICKED_AFTER)
    if random.random() < rates.unsubscribed:
        yield "unsubscribed", opened_at + random.randint(*_UNSUBSCRIBED_AFTER)


def _message(trigger: RecallTrigger, kind: MessageKind, ts: Millis) -> Message:
    return Message(
        event_id=labelled_id("simulated", xxhash.xxh3_128_hexdigest(trigger.id.encode()), kind),
        user_id=trigger.user_id,
        ts=ts,
        session_id="simulated",
        kind=kind,
        trigger_id=trigger.id,
        campaign=trigger.campaign,
        recall_channel=trigger.recall_channel,
    )
