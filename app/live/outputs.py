"""What an epoch says, as records for other topics: JSON, with CloudEvents headers (Kafka binding, binary mode)."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Protocol

import msgspec

from app.dead_letters.letter import Place
from schemas.changes import TagChange
from schemas.dead_letter import DeadLetter
from schemas.events import UserId
from schemas.examples import Example, Swept
from schemas.recall import RecallDecision, RecallTrigger
from schemas.scores import ChurnScore
from schemas.times import Millis, to_datetime
from schemas.topics import (
    CHURN_EXAMPLES,
    CHURN_SCORES,
    DEAD_LETTERS,
    RECALL_DECISIONS,
    RECALL_TRIGGERS,
    TAG_CHANGES,
    Topic,
)
from tables.changelog import Output

_TYPES: Final[dict[Topic, str]] = {
    TAG_CHANGES: "rekindle.tag-change",
    RECALL_TRIGGERS: "rekindle.recall-trigger",
    RECALL_DECISIONS: "rekindle.recall-decision",
    CHURN_SCORES: "rekindle.churn-score",
    DEAD_LETTERS: "rekindle.dead-letter",
}
"""What the records of each topic are, as CloudEvents names it."""

_TIMES: Final = 1_024
"""So many times are remembered as text: all that is said of one look, and of the end of a day, has one time."""

_ENCODE: Final = msgspec.json.Encoder().encode


class _OfUser(Protocol):
    @property
    def user_id(self) -> UserId: ...


class Outputs:
    """Turns changes and dead letters into records; `source` names this application in each."""

    def __init__(self, app_id: str) -> None:
        source = f"/rekindle/{app_id}".encode()
        self._headers = {topic: _constant_headers(kind.encode(), source) for topic, kind in _TYPES.items()}

    def changes(self, changes: Iterable[TagChange]) -> list[Output]:
        """Tag changes, keyed by user."""
        return [self._of_user(TAG_CHANGES, change, change.id, change.at) for change in changes]

    def scores(self, scores: Iterable[ChurnScore]) -> list[Output]:
        """Scores that crossed a band, keyed by user."""
        return [self._of_user(CHURN_SCORES, score, f"{score.user_id}/{score.as_of}", score.as_of) for score in scores]

    def triggers(self, triggers: Iterable[RecallTrigger]) -> list[Output]:
        """Triggers, keyed by user; a cancellation is another record of the same id."""
        return [self._of_user(RECALL_TRIGGERS, each, f"{each.id}/{each.rev}", each.at) for each in triggers]

    def decisions(self, decisions: Iterable[RecallDecision]) -> list[Output]:
        """Decisions, keyed by user."""
        return [self._of_user(RECALL_DECISIONS, each, each.id, each.at) for each in decisions]

    def dead_letters(self, letters: Iterable[DeadLetter]) -> list[Output]:
        """Dead letters, keyed by the place of the record that could not be used."""
        return [
            Output(DEAD_LETTERS, place, _ENCODE(letter), [*self._headers[DEAD_LETTERS], ("ce_id", place)])
            for letter in letters
            for place in [Place(letter.topic, letter.partition, letter.offset).key]
        ]

    def _of_user(self, topic: Topic, said: _OfUser, ce_id: str, at: Millis) -> Output:
        headers = [*self._headers[topic], ("ce_id", ce_id.encode()), ("ce_time", rfc_3339(at))]
        return Output(topic, said.user_id.encode(), _ENCODE(said), headers)


def examples(found: Iterable[Example]) -> list[Output]:
    """Examples for models, for our own trainer: no headers, keyed by user."""
    return [Output(CHURN_EXAMPLES, _key_of(example), _ENCODE(example), []) for example in found]


def _key_of(example: Example) -> bytes:
    return b"swept" if isinstance(example, Swept) else example.user.encode()


@lru_cache(_TIMES)
def rfc_3339(at: Millis) -> bytes:
    """A time in RFC 3339.

    >>> rfc_3339(1_291_161_600_000)
    b'2010-12-01T00:00:00Z'
    """
    return to_datetime(at).isoformat().replace("+00:00", "Z").encode()


def _constant_headers(kind: bytes, source: bytes) -> list[tuple[str, bytes]]:
    return [
        ("ce_specversion", b"1.0"),
        ("ce_type", kind),
        ("ce_source", source),
        ("content-type", b"application/json"),
    ]
