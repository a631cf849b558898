"""What a refresh of all scores costs: sampling rows, predicting, taking the scores over; CPU in one process.

`python -m bench.scoring [--users N] [--events N]`: the rows come from generated events; the models have learnt three
instants of a part of them.
"""

from time import process_time
from typing import Annotated

import numpy as np
import typer
from msgspec.structs import replace

from agents.churn.ensemble import Ensemble
from agents.churn.grid import Grid
from agents.churn.prequential import Instant, Prequential
from agents.limits import DEFAULT_LIMITS
from agents.partition import Partition
from app.rules_file import load_rules
from bench.load import payloads
from schemas.decode import decode
from schemas.events import Tick
from schemas.times import DAY_MS
from tables.score import Score
from tables.table import Table

TAUGHT = 2_000


def main(
    users: Annotated[int, typer.Option(min=100)] = 100_000, events: Annotated[int, typer.Option(min=1_000)] = 600_000
) -> None:
    """Measure."""
    grid = Grid(every_ms=10 * DAY_MS)
    partition = Partition(0, replace(DEFAULT_LIMITS, churn=grid), Table(2 * users), rulebook=load_rules())
    sampler = partition.sampler
    if sampler is None:
        raise AssertionError("it has a grid")
    last = 0
    for payload in payloads(events, users, days=9):
        event = decode(payload)
        if not isinstance(event, Tick):
            partition.apply(event, last := event.ts)
    partition.advance(last + 1)
    partition.collect()
    sampler.take_samples()
    sampling = process_time()
    partition.advance(grid.before(last) + 2 * grid.every_ms)
    samples = sampler.take_samples()
    predicting = process_time()
    ensemble = _taught(grid, np.array([sample.values for sample in samples[:TAUGHT]]))
    taught = process_time()
    p_inactive, model, version = ensemble.predict(np.array([sample.values for sample in samples]))
    scoring = process_time()
    for sample, p in zip(samples, p_inactive.tolist(), strict=True):
        partition.score(sample.user_id, Score(p, sample.as_of, grid.horizon_ms, model, version))
    ended = process_time()
    parts = {
        "timers and sampling": predicting - sampling,
        "predicting": scoring - taught,
        "taking over, with all rules": ended - scoring,
    }
    print(f"{len(samples):,} users")
    for name, seconds in parts.items():
        print(f"{name:28} {seconds:6.1f} s, {seconds / len(samples) * 1e6:6.1f} us a user")


def _taught(grid: Grid, x: np.ndarray) -> Ensemble:
    """Models that have seen some users at three instants, whom chance makes come back."""
    ensemble, random = Ensemble(grid.horizon), np.random.default_rng(1)
    lead = Prequential[int](ensemble, lambda _who, _as_of, _span: (random.random(len(x)) < 0.5).astype(float))
    for number in range(1, 8):
        lead.turn(Instant(number * grid.every_ms, 0, x))
    return ensemble


if __name__ == "__main__":
    typer.run(main)
