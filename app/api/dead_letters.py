"""GET /api/dead-letters: what could not be used, why, and what has become of it, as `rekindle dlq list --json`."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from app.api.letters import LettersQuery, looked_at
from app.api.route import Asked
from app.committed import quiet
from app.dead_letters.as_json import event_of
from app.dead_letters.choice import Choice
from app.dead_letters.letter import Letter
from app.dead_letters.shelf import Shelf, read_shelf
from app.dead_letters.state import State, state_of
from app.settings import Settings
from schemas.dead_letter import DeadReason
from schemas.times import Millis
from schemas.topics import Offset, Topic


class DeadLettersQuery(LettersQuery, kw_only=True, frozen=True):
    """And whether the payloads are asked for too."""

    payload: Annotated[bool, Meta(description="with the payloads: they are personal data")] = False


class DeadLetterShown(Struct, kw_only=True, frozen=True):
    """One dead letter; `topic`, `partition`, `offset`: where the record lay that could not be used.

    - `at`: when it became one, ms
    - `size`: bytes of its payload; `state`: what has become of it
    - `event`: the payload, where it is valid JSON, else `payload`: in base64; of a cut one as much as was kept
    """

    at: Millis
    topic: Topic
    partition: int
    offset: Offset
    reason: DeadReason
    detail: str
    size: int
    state: State
    event: msgspec.Raw | UnsetType = UNSET
    payload: bytes | UnsetType = UNSET


class DeadLetters(Struct, kw_only=True, frozen=True):
    """The oldest of those that are asked for; `count`: how many there are, `reasons` and `states`: of each kind.

    `looked_at`: so many offsets before the end of each partition of the topic; what is older is not counted.
    """

    count: int
    reasons: Mapping[str, int]
    states: Mapping[str, int]
    unreadable: int
    looked_at: int
    letters: list[DeadLetterShown]


async def get_dead_letters(asked: Asked) -> DeadLetters:
    """Read the topic once, and for payloads once more: so only those that are shown are ever in memory together."""
    query: DeadLettersQuery = asked.query
    settings, choice = asked.sources.settings, query.choice
    async with asked.sources.shelf:
        shelf = await asyncio.to_thread(_read, settings, choice)
        chosen = shelf.letters[: query.limit]
        if query.payload and chosen:
            chosen = await asyncio.to_thread(_with_payloads, settings, chosen)
    return DeadLetters(
        count=len(shelf.letters),
        reasons=Counter(letter.reason for letter in shelf.letters),
        states=Counter(state_of(letter, shelf.marks).value for letter in shelf.letters),
        unreadable=shelf.unreadable,
        looked_at=looked_at(settings),
        letters=[_shown(letter, state_of(letter, shelf.marks), with_payload=query.payload) for letter in chosen],
    )


def _read(settings: Settings, choice: Choice) -> Shelf:
    def keep(letter: Letter) -> Letter | None:
        return letter._replace(payload=b"") if choice.takes(letter) else None

    return read_shelf(settings, keep, quiet, looked_at(settings))


def _with_payloads(settings: Settings, chosen: list[Letter]) -> list[Letter]:
    places = {letter.place for letter in chosen}

    def keep(letter: Letter) -> Letter | None:
        return letter if letter.place in places else None

    return read_shelf(settings, keep, quiet, looked_at(settings)).letters


def _shown(letter: Letter, state: State, *, with_payload: bool) -> DeadLetterShown:
    event = event_of(letter.payload) if with_payload else None
    return DeadLetterShown(
        at=letter.at,
        topic=letter.place.topic,
        partition=letter.place.partition,
        offset=letter.place.offset,
        reason=letter.reason,
        detail=letter.detail,
        size=letter.size,
        state=state,
        event=UNSET if event is None else msgspec.Raw(event),
        payload=letter.payload if with_payload and event is None else UNSET,
    )
