"""Examples of a partition's users at each instant of the grid: features as of then, and labels of earlier ones.

A user of whom an event of a later time comes is sampled before it is applied; all others in a sweep, when time has
passed the instant. So no example knows of anything that came later.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from agents.churn.catalogue import FINGERPRINT
from agents.churn.features import features
from agents.churn.grid import Grid
from agents.churn.returns import is_inactive
from agents.gender.sample import sample
from agents.gender.voice import Voice
from schemas.events import UserId
from schemas.examples import Example, Features, Label, Stated, Swept, Tastes, user_key
from schemas.times import Millis
from tables.guess import Guess
from tables.row import Row
from tables.table import Table

NEVER_SWEPT: Final[Millis] = -1
_KEYS: Final = 2**64


class Sampled(NamedTuple):
    """A user as of an instant, to be scored; the tastes of who is to be guessed at."""

    user_id: UserId
    as_of: Millis
    values: Sequence[float]
    tastes: Tastes | None = None


def guesses(voice: Voice | None, samples: Iterable[Sampled]) -> Iterator[tuple[UserId, Guess]]:
    """What a gender model that speaks says of those who state nothing."""
    for sampled in samples:
        if voice is not None and sampled.tastes is not None:
            yield sampled.user_id, voice.guess(sampled.tastes, sampled.as_of)


class Sampler:
    """Samples one partition. `swept`: the last instant as of which all users were; `cursor`: how far the next one is.

    `due`: whoever has an event of a later time than that is to be sampled first. `with_gender`: a rule asks for it;
    `guesses`: a model of it is there for those who state none.
    """

    def __init__(self, partition: int, grid: Grid, table: Table, *, with_gender: bool = False) -> None:
        self._partition = partition
        self._grid = grid
        self._waits = [(span_ms, grid.wait_ms(span_ms)) for span_ms in grid.spans_ms]
        self._table = table
        self._with_gender = with_gender
        self.guesses = False
        self._queue: list[UserId] | None = None
        self.swept = NEVER_SWEPT
        self.cursor: UserId = ""
        self.due: Millis = NEVER_SWEPT
        self.examples: list[Example] = []
        self.samples: list[Sampled] = []

    def resume(self, swept: Millis, cursor: UserId = "") -> None:
        """Go on from what an epoch wrote."""
        self.swept, self.cursor, self._queue = swept, cursor, None
        self.due = NEVER_SWEPT if swept == NEVER_SWEPT else swept + self._grid.every_ms

    def start(self, ts: Millis) -> None:
        """Nothing was known before a time, if this is the first that is known."""
        if self.swept == NEVER_SWEPT and ts > 0:
            self.resume(self._grid.before(ts))

    def catch_up(self, user_id: UserId, row: Row, ts: Millis) -> None:
        """Sample a user as of every instant before an event that is about to be applied."""
        self.start(ts)
        for as_of in range(self.due, ts, self._grid.every_ms):
            self._sample(user_id, row, as_of)
            row.sampled = max(row.sampled, as_of)

    def sweep(self, at_most: int | None = None) -> bool:
        """Sample so many users as of `due`; True when that were all."""
        if self._queue is None:
            self._queue = sorted((user for user in self._table.users() if user > self.cursor), reverse=True)
        queue = self._queue
        for _ in range(len(queue) if at_most is None else min(at_most, len(queue))):
            self.cursor = user_id = queue.pop()
            row = self._table.get(user_id)
            if row is not None:
                self._sample(user_id, row, self.due)
        if queue:
            return False
        self.examples.append(Swept(partition=self._partition, as_of=self.due))
        self.resume(self.due)
        return True

    def take_examples(self) -> list[Example]:
        """Hand over what models learn from."""
        examples, self.examples = self.examples, []
        return examples

    def take_samples(self) -> list[Sampled]:
        """Hand over whom to score."""
        samples, self.samples = self.samples, []
        return samples

    def _sample(self, user_id: UserId, row: Row, as_of: Millis) -> None:
        if as_of <= row.sampled or row.first is None or row.first.ts > as_of:
            return
        values = features(row, as_of)
        seen = sample(row, as_of - self._grid.every_ms, guesses=self.guesses) if self._with_gender else None
        stated, tastes = (None, None) if seen is None else (seen.stated, seen.tastes)
        self.samples.append(Sampled(user_id, as_of, values, tastes if stated is None else None))
        user = user_key(user_id)
        if int(user, 16) >= self._grid.share * _KEYS:
            return
        self.examples.append(Features(user=user, as_of=as_of, values=values, catalogue=FINGERPRINT))
        if stated is not None and tastes is not None:
            self.examples.append(Stated(user=user, as_of=as_of, female=stated == "female", tastes=tastes))
        for span_ms, wait_ms in self._waits:
            if row.first.ts <= (then := as_of - wait_ms):
                inactive = is_inactive(row, then, span_ms)
                self.examples.append(Label(user=user, as_of=then, span_ms=span_ms, inactive=inactive))
