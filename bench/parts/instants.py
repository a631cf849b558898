"""Histories cut at the instants of a grid: everyone known by then, their features, and what they did later."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

import numpy as np

from agents.churn.features import matrix
from agents.churn.models.numbers import Vector
from agents.churn.prequential import Instant
from agents.limits import Limits
from agents.rules.rulebook import NO_RULES
from app.fold import partition_of_all
from schemas.events import AnyEvent, UserId
from schemas.times import DAY_MS, Millis
from tables.table import Table

CADENCE_MS: Final = 15 * DAY_MS
Users = tuple[UserId, ...]


class Cut:
    """A history at the instants of the grid, up to its last event."""

    def __init__(self, events: Iterable[AnyEvent], cadence_ms: Millis = CADENCE_MS) -> None:
        partition = partition_of_all(Limits(portraits=False), NO_RULES)
        self.instants: list[Instant[Users]] = []
        self._activities: dict[UserId, list[Millis]] = {}
        grid, self.end = 0, 0
        for event in events:
            grid = grid or (event.ts // cadence_ms + 1) * cadence_ms
            while event.ts > grid:
                partition.advance(grid + 1)
                partition.table.take_changes()
                self._cut(partition.table, grid)
                grid += cadence_ms
            partition.apply(event, event.ts)
            self.end = event.ts
            if event.is_activity:
                self._activities.setdefault(event.user_id, []).append(event.ts)

    def _cut(self, table: Table, as_of: Millis) -> None:
        rows = {user: table.get(user) for user in sorted(self._activities)}
        known = {user: row for user, row in rows.items() if row is not None and row.first is not None}
        self.instants.append(Instant(as_of, tuple(known), matrix(known.values(), as_of)))

    def labels(self, users: Users, as_of: Millis, span_ms: Millis) -> Vector:
        """1 for each who did nothing in (as_of, as_of + span_ms]."""
        later = as_of + span_ms
        told = (self._activities[user] for user in users)
        return np.array([float(bisect_right(ts, as_of) == bisect_right(ts, later)) for ts in told])
