"""The scorer of a worker: follows the models' topic, and scores whom the partitions sampled by the newest models."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

import numpy as np
from aiokafka import TopicPartition

from agents.churn.ensemble import Ensemble
from agents.churn.grid import Grid
from agents.churn.models.recency import Recency
from agents.churn.restored import restored
from agents.churn.sampler import Sampled
from agents.churn.snapshot import Newest, Snapshot, SnapshotError
from agents.gender.voice import Voice
from agents.recall.policy import UNIFORM, Policy
from app.committed import followed, keep_on
from app.settings import Settings
from app.topics import models_name
from schemas.events import UserId
from schemas.times import Millis
from tables.score import Score

BASELINE: Final = "none"
"""The version of scores that no trained model gave: they go by recency alone."""
_LOG: Final = logging.getLogger(__name__)


class Scorer:
    """Scores by the newest models; by recency alone before there are any."""

    def __init__(self, settings: Settings, grid: Grid) -> None:
        self._settings = settings
        self._grid = grid
        self._baseline = Recency(grid.horizon)
        self._ensemble: Ensemble | None = None
        self._as_of: Millis = -1

    def score(self, samples: Sequence[Sampled]) -> list[tuple[UserId, Score]]:
        """Score them all at once."""
        x, ensemble = np.array([sample.values for sample in samples], dtype=float), self._ensemble
        if ensemble is None:
            p_inactive, model, version = self._baseline.predict(x), self._baseline.name, BASELINE
        else:
            p_inactive, model, version = ensemble.predict(x)
        return [
            (sample.user_id, Score(p, sample.as_of, self._grid.horizon_ms, model, version))
            for sample, p in zip(samples, p_inactive.tolist(), strict=True)
        ]

    @property
    def ensemble(self) -> Ensemble | None:
        """The newest models; None before there are any."""
        return self._ensemble

    def voice(self) -> Voice | None:
        """What the newest gender model has to say, if it has."""
        return None if self._ensemble is None else self._ensemble.gender

    def policy(self) -> Policy:
        """How channels are chosen by what the newest models have learnt."""
        return (self._ensemble and self._ensemble.channels) or UNIFORM

    async def run(self) -> None:
        """Follow the models' topic until cancelled."""
        await keep_on(self._follow, "the models' topic")

    async def _follow(self) -> None:
        here, newest = TopicPartition(models_name(self._settings), 0), Newest()
        async for records in followed(self._settings.kafka_connection, here):
            try:
                newest.read((record.key, record.value) for record in records)
                await self._swap(newest.snapshot())
            except SnapshotError as error:
                _LOG.warning("%s; scores go on as they were", str(error))

    async def _swap(self, snapshot: Snapshot | None) -> None:
        if snapshot is None or snapshot.as_of <= self._as_of:
            return
        self._as_of = snapshot.as_of
        if (snapshot.every_ms, snapshot.horizon_ms) != (self._grid.every_ms, self._grid.horizon_ms):
            raise SnapshotError("the models were trained with another REKINDLE_CHURN_EVERY or _HORIZON")
        self._ensemble = ensemble = await asyncio.to_thread(restored, snapshot)
        _LOG.info("scores by the models of %s from now on, champion %s", ensemble.version, ensemble.champion)
