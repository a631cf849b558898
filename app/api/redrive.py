"""POST /api/dead-letters/redrive: send again what can be used by now, as `rekindle dlq redrive` does."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Final

from aiokafka.errors import KafkaError
from msgspec import Meta, Struct

from app.api.letters import LettersQuery, looked_at
from app.api.route import Asked
from app.clock import now
from app.committed import quiet
from app.dead_letters.choice import Choice
from app.dead_letters.letter import Letter
from app.dead_letters.marks import Marks
from app.dead_letters.plan import plan
from app.dead_letters.ready import Ready
from app.dead_letters.redrive import Redrive
from app.dead_letters.shelf import read_marks, read_shelf
from app.settings import Clock, Settings
from app.topics import BrokerError, admin, one_line, partition_counts, redriven_name
from schemas.times import Millis

PAYLOADS_BYTES: Final = 32 * 2**20
"""Of payloads that take more together, the first ones are looked at: a worker's memory is for its rows."""


class RedriveQuery(LettersQuery, kw_only=True, frozen=True):
    """And whether it is only to be told what would be sent."""

    dry_run: Annotated[bool, Meta(description="only say what would be sent")] = False


class Redriven(Struct, kw_only=True, frozen=True):
    """What was done. Whoever asks again sends what is left over.

    - `sent`: events; `already`: had been sent by another redrive meanwhile
    - `ready`: how many can be used by now, by topic, those beyond `limit` too
    - `left`: how many cannot, by reason; `beyond`: how many were not looked at, as the others are large
    """

    sent: int
    already: int
    ready: Mapping[str, int]
    left: Mapping[str, int]
    beyond: int


async def post_redrive(asked: Asked) -> Redriven:
    """Send the oldest `limit` of those that are asked for and can be used by now, each once."""
    query: RedriveQuery = asked.query
    choice = query.choice
    async with asked.sources.shelf:
        limit = 0 if query.dry_run else query.limit
        return await asyncio.to_thread(_redrive, asked.sources.settings, choice, limit)


def _redrive(settings: Settings, choice: Choice, limit: int) -> Redriven:
    found = _Usable(choice, _marks(settings), settings.clock)
    read_shelf(settings, found.look, quiet, looked_at(settings))
    work = Redrive(settings, quiet)
    if chosen := found.oldest(limit):
        work.run(chosen)
    return Redriven(sent=work.sent, already=work.already, ready=found.ready, left=found.left, beyond=found.beyond)


def _marks(settings: Settings) -> Marks:
    name = redriven_name(settings)
    with admin(settings) as client:
        partitions = partition_counts(client, [name]).get(name, 0)
    try:
        return asyncio.run(read_marks(settings, partitions))
    except KafkaError as error:
        raise BrokerError(f"{name} cannot be read ({one_line(error)})", "try again when the broker is up") from None


class _Usable:
    """The letters that can be used by now, as long as their payloads are not too large together."""

    def __init__(self, choice: Choice, marks: Marks, clock: Clock) -> None:
        self._choice = choice
        self._marks = marks
        self._clock = clock
        self._kept: list[tuple[Millis, Ready]] = []
        self._bytes = 0
        self.ready = Counter[str]()
        self.left = Counter[str]()
        self.beyond = 0

    def look(self, letter: Letter) -> None:
        """Take a letter, if it is of use; the shelf need not keep it."""
        if not self._choice.takes(letter):
            return
        found = plan([letter], self._marks, self._clock, now())
        self.left.update(found.left)
        for ready in found.ready:
            self._bytes += len(ready.payload)
            if self._bytes > PAYLOADS_BYTES:
                self.beyond += 1
            else:
                self.ready[ready.topic] += 1
                self._kept.append((letter.at, ready))

    def oldest(self, number: int) -> list[Ready]:
        """So many at the most."""
        return [ready for _, ready in sorted(self._kept, key=lambda each: (each[0], each[1].letter))[:number]]
