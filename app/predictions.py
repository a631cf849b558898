"""Predictions of a backtest: what each candidate said of each user at each instant, and what came true."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from agents.churn.grid import Grid
from agents.churn.returns import is_inactive
from agents.churn.sampler import Sampled, Sampler, guesses
from agents.churn.trainer import Trainer, Turn
from agents.partition import Partition
from agents.recall.policy import UNIFORM
from app.explain.outlook import write_models
from schemas.events import UserId
from schemas.examples import Label, Lesson, UserKey, user_key
from schemas.times import Millis
from tables.score import Score

PREDICTIONS: Final = "predictions.parquet"
CANDIDATES: Final = "candidates.parquet"
MODELS: Final = "models.msgpack"
_SCHEMA: Final = {
    "user_id": pl.String,
    "as_of": pl.Int64,
    "p_inactive": pl.Float64,
    "model": pl.String,
    "model_version": pl.String,
    "label": pl.Int8,
}


class Predictions:
    """Trains on what one partition's sampler says, and keeps what was said of whom."""

    def __init__(self, grid: Grid, partition: Partition, sampler: Sampler) -> None:
        self.grid = grid
        self.trainer = Trainer(grid, partitions=1)
        self.turns: list[Turn] = []
        self._partition = partition
        self._sampler = sampler
        self._names: dict[UserKey, UserId] = {}
        self._labels: dict[Millis, dict[UserKey, bool]] = {}
        self._tasted: dict[Millis, list[Sampled]] = {}

    def turn(self, lessons: Sequence[Lesson] = ()) -> None:
        """Learn and score what was sampled since; `lessons`: what triggers have brought since."""
        for sample in self._sampler.take_samples():
            self._names.setdefault(user_key(sample.user_id), sample.user_id)
            if sample.tastes is not None:
                self._tasted.setdefault(sample.as_of, []).append(sample)
        for example in (*lessons, *self._sampler.take_examples()):
            self.trainer.take(example)
            if isinstance(example, Label) and example.span_ms == self.grid.horizon_ms:
                self._labels.setdefault(example.as_of, {})[example.user] = example.inactive
        while (turn := self.trainer.turn()) is not None:
            self._forget_features()
            self.turns.append(turn)
            for user, p_inactive in zip(turn.users, turn.said[turn.champion].tolist(), strict=True):
                score = Score(p_inactive, turn.as_of, self.grid.horizon_ms, turn.champion, turn.version)
                self._partition.score(self._names[user], score)
            self._guess(turn.as_of)
            self._partition.desk.choose = (self.trainer.ensemble.channels or UNIFORM).choose

    def _guess(self, as_of: Millis) -> None:
        """Guess at the gender of who states none, where the model speaks; if so, tastes are wanted from now on."""
        voice = self.trainer.ensemble.gender
        for user_id, guess in guesses(voice, self._tasted.pop(as_of, ())):
            self._partition.guess(user_id, guess)
        self._sampler.guesses = voice is not None

    def _forget_features(self) -> None:
        """Of all instants but the newest only what was said is kept: features are four times as much."""
        if self.turns:
            self.turns[-1] = self.turns[-1]._replace(x=np.empty((0, 0)))

    def settle(self, until: Millis) -> None:
        """Learn the labels that are true by the end, and are not yet told as no instant of the grid came after."""
        for turn in self.turns:
            if turn.as_of + self.grid.horizon_ms <= until:
                known = self._labels.setdefault(turn.as_of, {})
                for user in turn.users:
                    if user in known:
                        continue
                    row = self._partition.table.get(self._names[user])
                    if row is not None and row.first is not None:
                        known[user] = is_inactive(row, turn.as_of, self.grid.horizon_ms)

    def labels(self, turn: Turn) -> list[int | None]:
        """Of the users of an instant: 1 inactive, 0 active, None not known by the end."""
        known = self._labels.get(turn.as_of, {})
        return [None if (label := known.get(user)) is None else int(label) for user in turn.users]

    def write(self, folder: Path) -> None:
        """Write the champion's predictions, those of all candidates, and the models as of the end. Raises OSError."""
        self._frame(lambda turn: [turn.champion]).write_parquet(folder / PREDICTIONS)
        self._frame(lambda turn: list(turn.said)).write_parquet(folder / CANDIDATES)
        if self.turns:
            write_models(self.trainer.snapshot(self.turns[-1].as_of), folder / MODELS)

    def _frame(self, models: Callable[[Turn], list[str]]) -> pl.DataFrame:
        frames = [frame for turn in self.turns for frame in self._of(turn, models(turn))]
        return pl.concat(frames) if frames else pl.DataFrame(schema=_SCHEMA)

    def _of(self, turn: Turn, models: list[str]) -> Iterator[pl.DataFrame]:
        names, labels = [self._names[user] for user in turn.users], self.labels(turn)
        for model in models:
            yield pl.DataFrame(
                {
                    "user_id": names,
                    "as_of": turn.as_of,
                    "p_inactive": np.asarray(turn.said[model], dtype=float),
                    "model": model,
                    "model_version": turn.version,
                    "label": labels,
                },
                schema=_SCHEMA,
            )
