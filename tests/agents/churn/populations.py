"""Users who buy, stay away and leave, and their features at the instants of a grid; the same each time."""

from functools import cache
from typing import Final, NamedTuple

import numpy as np

from agents.churn.features import matrix
from agents.churn.horizon import horizon
from agents.churn.models.numbers import Matrix, Vector
from agents.limits import Limits
from agents.partition import Partition
from schemas.times import DAY_MS, Millis
from tables.table import Table
from tests.agents.drive import START, click, order

HORIZON: Final = horizon(60 * DAY_MS, 15 * DAY_MS)
USERS: Final = 150


class Snapshot(NamedTuple):
    """Everyone known at an instant, their features, and the days of their later activities."""

    as_of: Millis
    x: Matrix
    next: Vector
    """Days until the next activity."""

    def inactive(self, days: float) -> Vector:
        return (self.next > days).astype(np.float64)


@cache
def snapshots(instants: int = 12, seed: int = 0) -> list[Snapshot]:
    """Users with rhythms of their own, who leave some day."""
    visits = _visits(seed)
    partition = Partition(0, Limits(portraits=False), Table())
    events = sorted((at, user) for user, times in visits.items() for at in times)
    grid = [(START // (15 * DAY_MS) + 1 + number) * 15 * DAY_MS for number in range(instants)]
    found, place = [], 0
    for as_of in grid:
        while place < len(events) and events[place][0] <= as_of:
            at, user = events[place]
            bought = order(at, f"e{place}", user, order_id=f"o{place}", total=5.0)
            partition.apply(bought if place % 3 else click(at, f"e{place}", user), at)
            place += 1
        users = sorted(user for user, times in visits.items() if times[0] <= as_of)
        rows = {user: partition.table.get(user) for user in users}
        x = matrix((row for row in rows.values() if row is not None), as_of)
        later = [next((at for at in visits[user] if at > as_of), as_of + 9_999 * DAY_MS) for user in users]
        found.append(Snapshot(as_of, x, (np.array(later) - as_of) / DAY_MS))
    return found


def _visits(seed: int) -> dict[str, list[Millis]]:
    random = np.random.default_rng(seed)
    visits: dict[str, list[Millis]] = {}
    for number in range(USERS):
        day, cycle, leaves = random.uniform(0, 60), np.exp(random.normal(3, 0.8)), random.beta(1, 9)
        times = visits.setdefault(f"u{number:03d}", [])
        while day < 400:
            times.append(START + int(day * DAY_MS))
            if random.random() < leaves:
                break
            day += random.gamma(5, cycle / 5)
    return visits
