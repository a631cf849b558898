"""A worker's ear for what people tell campaigns: all of the control topic, and what is added to it."""

import logging
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from app.committed import committed, followed, keep_on
from app.settings import Settings
from app.topics import BrokerError, control_name, one_line
from schemas.control import Told, read_control
from schemas.topics import Offset

_LOG: Final = logging.getLogger(__name__)


class ControlTopic:
    """What was told so far, in the order of the topic."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._here = TopicPartition(control_name(settings), 0)
        self._told: list[Told] = []

    def since(self, position: Offset) -> Sequence[Told]:
        """What lies at an offset and behind it."""
        if not self._told or self._told[-1].offset < position:
            return ()
        return self._told[bisect_left(self._told, position, key=lambda told: told.offset) :]

    @property
    def all(self) -> Sequence[Told]:
        """All that was told."""
        return self._told

    async def read(self) -> None:
        """Read what is there: before a worker takes up its partitions, so that who was paused meanwhile is.

        Raises BrokerError.
        """
        try:
            async for record in committed(self._settings.kafka_connection, [self._here]):
                self._take(record)
        except (KafkaError, TimeoutError) as error:
            why = one_line(error) or type(error).__name__
            raise BrokerError(f"the topic {self._here.topic} cannot be read ({why})", "see docs/security.md") from None

    async def run(self) -> None:
        """Follow the topic until cancelled."""
        await keep_on(self._follow, "the control topic")

    async def _follow(self) -> None:
        start = self._told[-1].offset + 1 if self._told else 0
        async for records in followed(self._settings.kafka_connection, self._here, start):
            for record in records:
                self._take(record)

    def _take(self, record: Any) -> None:
        told = read_control(record.offset, record.value)
        if told.command is None:
            _LOG.warning(
                "record %d of %s is none that this version knows, and is left out", told.offset, self._here.topic
            )
        if not self._told or told.offset > self._told[-1].offset:
            self._told.append(told)
