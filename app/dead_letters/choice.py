"""Which dead letters a person asks for."""

from collections.abc import Collection
from typing import NamedTuple

from app.dead_letters.letter import Letter
from schemas.dead_letter import DeadReason
from schemas.times import Millis, parse_instant, parse_span
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


def since_of(text: str, now: Millis) -> Millis:
    """A time, or how long before `now` it was. Raises ValueError with a sentence for people.

    >>> since_of("2h", 10_000_000), since_of("1970-01-01T00:00:05Z", 0)
    (2800000, 5000)
    """
    try:
        return now - parse_span(text)
    except ValueError:
        pass
    try:
        return parse_instant(text)
    except ValueError as error:
        raise ValueError(f"{error}; or how long ago: 2h") from None
