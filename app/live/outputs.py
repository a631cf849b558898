"""What an epoch says, as records for other topics: JSON, with CloudEvents headers (Kafka binding, binary mode)."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import msgspec

from app.dead_letters.letter import Place
from schemas.changes import TagChange
from schemas.dead_letter import DeadLetter
from schemas.examples import Example, Swept
from schemas.scores import ChurnScore
from schemas.times import Millis, to_datetime
from tables.changelog import Output

TAG_CHANGES: Final = "tag-changes"
DEAD_LETTERS: Final = "dead-letters"
CHURN_SCORES: Final = "churn-scores"
CHURN_EXAMPLES: Final = "churn-examples"

_TIMES: Final = 1_024
"""So many times are remembered as text: all that is said of one look, and of the end of a day, has one time."""

_ENCODE: Final = msgspec.json.Encoder().encode


class Outputs:
    """Turns changes and dead letters into records; `source` names this application in each."""

    def __init__(self, app_id: str) -> None:
        source = f"/rekindle/{app_id}".encode()
        self._change_headers = _constant_headers(b"rekindle.tag-change", source)
        self._score_headers = _constant_headers(b"rekindle.churn-score", source)
        self._letter_headers = _constant_headers(b"rekindle.dead-letter", source)

    def changes(self, changes: Iterable[TagChange]) -> list[Output]:
        """Tag changes, keyed by user."""
        return [
            Output(
                TAG_CHANGES,
                change.user_id.encode(),
                _ENCODE(change),
                [*self._change_headers, ("ce_id", change.id.encode()), ("ce_time", rfc_3339(change.at))],
            )
            for change in changes
        ]

    def scores(self, scores: Iterable[ChurnScore]) -> list[Output]:
        """Scores that crossed a band, keyed by user."""
        return [
            Output(
                CHURN_SCORES,
                score.user_id.encode(),
                _ENCODE(score),
                [
                    *self._score_headers,
                    ("ce_id", f"{score.user_id}/{score.as_of}".encode()),
                    ("ce_time", rfc_3339(score.as_of)),
                ],
            )
            for score in scores
        ]

    def dead_letters(self, letters: Iterable[DeadLetter]) -> list[Output]:
        """Dead letters, keyed by the place of the record that could not be used."""
        return [
            Output(DEAD_LETTERS, place, _ENCODE(letter), [*self._letter_headers, ("ce_id", place)])
            for letter in letters
            for place in [Place(letter.topic, letter.partition, letter.offset).key]
        ]


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
