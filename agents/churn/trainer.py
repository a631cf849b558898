"""The trainer: joins examples and labels, instant by instant, and leads the models through them.

```
partition 0     features g1 . . swept g1     features g2 . labels g1 . swept g2
partition 1        features g1 . . . swept g1   . labels g1 . features g2 . . swept g2
turns                                   g1                                       g2
```

An instant's turn comes when every partition has said all of it: so it makes no difference how the partitions' examples
came among each other, nor how many partitions there are.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from agents.churn.catalogue import FINGERPRINT
from agents.churn.ensemble import Ensemble
from agents.churn.grid import Grid
from agents.churn.models.numbers import Matrix, Vector
from agents.churn.prequential import Instant, Prequential
from agents.churn.snapshot import Snapshot
from agents.gender.model import GenderModel
from agents.recall.bandit import Bandit
from schemas.examples import Example, Features, Label, Lesson, Stated, UserKey
from schemas.times import NEVER, Millis

Users: TypeAlias = tuple[UserKey, ...]
_LessonKey: TypeAlias = tuple[Millis, UserKey, str, Millis, str]
_UNKNOWN: Final = np.nan


class Turn(NamedTuple):
    """What each candidate said of the users of an instant, in their order, and who was the champion then."""

    as_of: Millis
    users: Users
    x: Matrix
    said: dict[str, Vector]
    champion: str
    version: str


class Trainer:
    """Learns from the examples of all partitions."""

    def __init__(self, grid: Grid, partitions: int) -> None:
        self.ensemble = Ensemble(grid.horizon)
        self._grid = grid
        self._gender = GenderModel()
        self._stated: dict[Millis, dict[UserKey, Stated]] = {}
        self._bandit = Bandit()
        self._lessons: dict[_LessonKey, Lesson] = {}
        self._prequential = Prequential[Users](self.ensemble, self._labels, grid.lateness_ms)
        self._longest_ms = grid.wait_ms(grid.horizon_ms)
        self._swept: list[Millis] = [-1] * partitions
        self._features: dict[Millis, dict[UserKey, Sequence[float]]] = {}
        self._known: dict[tuple[Millis, Millis], dict[UserKey, bool]] = {}

    def take(self, example: Example) -> None:
        """Take in what a partition said; the same said twice is no more than said once.

        Features by another catalogue, as another version has it, are left out.
        """
        if isinstance(example, Features):
            if example.catalogue != FINGERPRINT:
                return
            self._features.setdefault(example.as_of, {}).setdefault(example.user, example.values)
        elif isinstance(example, Label):
            self._known.setdefault((example.as_of, example.span_ms), {})[example.user] = example.inactive
        elif isinstance(example, Stated):
            self._stated.setdefault(example.as_of, {}).setdefault(example.user, example)
        elif isinstance(example, Lesson):
            key = example.as_of, example.user, example.campaign, example.at, example.channel
            self._lessons[key] = example
        else:
            self._swept[example.partition] = max(self._swept[example.partition], example.as_of)

    @property
    def due(self) -> Millis | None:
        """The instant whose turn has come, if there is one."""
        first = min(self._features, default=NEVER)
        return first if first <= min(self._swept) else None

    def turn(self) -> Turn | None:
        """Learn what has matured by the instant that is due, and score everyone known then."""
        as_of = self.due
        if as_of is None:
            return None
        known = sorted(self._features.pop(as_of).items())
        users, x = tuple(user for user, _ in known), np.array([values for _, values in known])
        said = self._prequential.turn(Instant(as_of, users, x))
        self._known = {name: labels for name, labels in self._known.items() if name[0] > as_of - self._longest_ms}
        self._learn_gender(as_of)
        self._learn_channels(as_of)
        return Turn(as_of, users, x, said, self.ensemble.champion, self.ensemble.version)

    def _learn_channels(self, until: Millis) -> None:
        """A lesson is said when all is known of it; so nothing of an instant's turn comes after it."""
        due = sorted(key for key in self._lessons if key[0] <= until)
        self._bandit.learn(self._lessons.pop(key) for key in due)
        self.ensemble.channels = self._bandit.policy(self.ensemble.version)

    def snapshot(self, as_of: Millis) -> Snapshot:
        """What a scorer needs of the models, as of the instant of the newest turn."""
        return Snapshot(as_of, self._grid.every_ms, self._grid.horizon_ms, self.ensemble.snapshot(whole=False))

    def _learn_gender(self, until: Millis) -> None:
        """What users state needs no time to come true: it is learnt at its own instant."""
        for as_of in sorted(each for each in self._stated if each <= until):
            self._gender.learn(example for _, example in sorted(self._stated.pop(as_of).items()))
        self.ensemble.gender = self._gender.voice(self.ensemble.version)

    def _labels(self, users: Users, as_of: Millis, span_ms: Millis) -> Vector:
        """The labels of these users; not a number where there are none, as of those who were erased."""
        known = self._known.pop((as_of, span_ms), {})
        return np.array([known.get(user, _UNKNOWN) for user in users], dtype=float)
