"""Which dead letters a person asks for."""

from collections.abc import Collection
from typing import NamedTuple

from app.dead_letters.letter import Letter
from schemas.dead_letter import DeadReason
from schemas.times import Millis
from schemas.topics import Topic


class Choice(NamedTuple):
    """Letters of some reasons and topics (none named: of all), that became dead at `since` or later."""

    reasons: Collection[DeadReason] = ()
    topics: Collection[Topic] = ()
    since: Millis = 0

    def takes(self, letter: Letter) -> bool:
        """Whether a letter is asked for."""
        return (
            letter.at >= self.since
            and (not self.reasons or letter.reason in self.reasons)
            and (not self.topics or letter.place.topic in self.topics)
        )
