"""Half the maximum rate for twenty minutes: whether memory is flat, the lag bounded, every epoch committed.

`python -m bench.soak [--minutes 20] [--out out/soak]`: starts Apache Kafka and a store, lets one worker work off a
backlog (its maximum rate on this machine, with the broker beside it), then sends at half that rate, looks every few
seconds, and writes samples.csv, soak.html and, where Chromium is there, soak.png. The clock is that on the wall, and
the limits are short (silent after 8 s, lost after 16 s), so that timers fire all the time. Rows grow until their rings
are full (the last 64 arrivals, the last 32 orders): with 10,000 users that takes about eight minutes.
"""

import csv
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final, NamedTuple
from urllib.request import urlopen

import plotly.graph_objects as go
import typer
from plotly.subplots import make_subplots
from prometheus_client.parser import text_string_to_metric_families

from app.demo.embedded import HOST, EmbeddedStore, free_port
from bench.broker import broker, environment

APP: Final = "soak"
PARTITIONS: Final = 8
BACKLOG: Final = 600_000
LIMITS: Final = {
    "REKINDLE_CLOCK": "wall",
    "REKINDLE_SILENT_AFTER": "8s",
    "REKINDLE_LOST_AFTER": "16s",
    "REKINDLE_ALLOWED_LATENESS": "5s",
}
LOOK_EVERY_S: Final = 5.0
MIB: Final = 2**20
PANELS: Final = (
    "Events applied a second",
    "Records yet to be read",
    "Memory of the worker, MiB",
    "Time to write an epoch, ms",
)


class Sample(NamedTuple):
    """What a worker told at a moment: counted since it began, but for the lag and the memory."""

    at_s: float
    events: float
    lag: float
    epochs: float
    epochs_s: float
    cpu_s: float
    memory_mib: float


def main(
    minutes: Annotated[float, typer.Option(min=0.5)] = 20,
    users: Annotated[int, typer.Option(min=1)] = 10_000,
    out: Annotated[Path, typer.Option(help="Folder for samples and plots.")] = Path("out/soak"),
) -> None:
    """Soak."""
    out.mkdir(parents=True, exist_ok=True)
    with broker(PARTITIONS, APP) as settings, EmbeddedStore() as store, (out / "worker.log").open("wb") as log:
        port = free_port()
        own = environment(settings, APP) | LIMITS | {"REKINDLE_REDIS": store.url, "REKINDLE_WEB_PORT": str(port)}
        with _producer(own, users, BACKLOG, 0) as producer:
            producer.wait()
        command = [sys.executable, "-m", "app.cli", "worker"]
        worker = subprocess.Popen(command, env=own, stdout=log, stderr=log)  # noqa: S603  our own program
        try:
            maximum = _maximum(worker.pid, port)
            print(f"maximum: {maximum:,.0f} events/s, over a backlog of {BACKLOG:,}", flush=True)
            rate = int(maximum / 2)
            total = int(rate * minutes * 60)
            with _producer(own, users, total, rate):
                samples = _soak(BACKLOG + total, worker.pid, port)
        finally:
            worker.terminate()
            code = worker.wait(60)
    _write(out / "samples.csv", samples)
    _report(samples, maximum, code, (out / "worker.log").read_text(encoding="utf-8"))
    _plot(samples, maximum, out)


def _maximum(pid: int, port: int) -> float:
    """How many events a second the backlog is worked off with."""
    seen: list[Sample] = []
    while not seen or seen[-1].events < BACKLOG:
        time.sleep(0.2)
        if (sample := _look(pid, port, time.monotonic())) is not None and sample.events:
            seen.append(sample)
    return (seen[-1].events - seen[0].events) / (seen[-1].at_s - seen[0].at_s)


def _producer(environment: dict[str, str], users: int, events: int, rate: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "bench.parts.steady", *map(str, (users, events, rate))]
    return subprocess.Popen(command, env=environment)  # noqa: S603  our own program


def _soak(total: int, pid: int, port: int) -> list[Sample]:
    """Look at the worker until it has applied so many events."""
    samples: list[Sample] = []
    began = time.monotonic()
    while not samples or samples[-1].events < total:
        if (sample := _look(pid, port, time.monotonic() - began)) is not None:
            samples.append(sample)
            if len(samples) % 12 == 1:
                so_far = f"{sample.events:,.0f} events, lag {sample.lag:,.0f}, {sample.memory_mib:,.0f} MiB"
                print(f"{sample.at_s:5.0f} s: {so_far}", flush=True)
        time.sleep(LOOK_EVERY_S)
    return samples


def _look(pid: int, port: int, at_s: float) -> Sample | None:
    """Ask a worker; None while it does not answer."""
    try:
        with urlopen(f"http://{HOST}:{port}/metrics", timeout=5) as answer:
            families = text_string_to_metric_families(answer.read().decode())
    except OSError:
        return None
    told: dict[str, float] = {}
    for sample in (sample for family in families for sample in family.samples):
        told[sample.name] = told.get(sample.name, 0) + sample.value
    return Sample(
        at_s=at_s,
        events=told.get("rekindle_events_total", 0),
        lag=told.get("rekindle_lag_records", 0),
        epochs=told.get("rekindle_epochs_total", 0),
        epochs_s=told["rekindle_epoch_seconds_sum"],
        cpu_s=_cpu_s(pid),
        memory_mib=_memory_bytes(pid) / MIB,
    )


def _memory_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rates(samples: Sequence[Sample]) -> Iterator[tuple[float, float, float]]:
    """At, events a second, and seconds for an epoch, between two samples each."""
    for before, after in pairwise(samples):
        epochs = after.epochs - before.epochs
        yield (
            after.at_s,
            (after.events - before.events) / (after.at_s - before.at_s),
            (after.epochs_s - before.epochs_s) / epochs if epochs else 0.0,
        )


def _write(path: Path, samples: Sequence[Sample]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(Sample._fields)
        writer.writerows([f"{value:.3f}" for value in sample] for sample in samples)


def _report(samples: Sequence[Sample], maximum: float, code: int, log: str) -> None:
    first, last = samples[0], samples[-1]
    thirds = [samples[len(samples) * part // 3 - 1].memory_mib for part in (1, 2, 3)]
    events, seconds = last.events - first.events, last.at_s - first.at_s
    print(
        f"applied {events:,.0f} events in {seconds / 60:.1f} min: {events / seconds:,.0f}/s, maximum {maximum:,.0f}/s"
    )
    print(f"CPU of the worker: {(last.cpu_s - first.cpu_s) / events * 1e6:.1f} us an event")
    print(f"memory after each third: {', '.join(f'{each:,.0f}' for each in thirds)} MiB")
    print(f"lag: at most {max(sample.lag for sample in samples):,.0f} records, at the end {last.lag:,.0f}")
    epochs, epochs_s = last.epochs - first.epochs, last.epochs_s - first.epochs_s
    print(f"epochs: {epochs:,.0f}, mean {1000 * epochs_s / epochs:.0f} ms")
    restores, failed = log.count(" is restored: "), log.count("is restored from its changelog")
    print(f"epochs that failed: {failed}; restores: {restores}, one for each of {PARTITIONS} partitions at the start")
    print(f"exit code at SIGTERM: {code}")


def _plot(samples: Sequence[Sample], maximum: float, out: Path) -> None:
    figure = make_subplots(rows=2, cols=2, subplot_titles=PANELS, horizontal_spacing=0.08, vertical_spacing=0.14)
    minutes, rates, epochs_s = zip(*((at / 60, rate, epoch) for at, rate, epoch in _rates(samples)), strict=True)
    at = [sample.at_s / 60 for sample in samples]
    lines = (
        (minutes, rates),
        (at, [sample.lag for sample in samples]),
        (at, [sample.memory_mib for sample in samples]),
        (minutes, [1000 * each for each in epochs_s]),
    )
    for number, (x, y) in enumerate(lines):
        figure.add_trace(go.Scatter(x=x, y=y, line={"width": 1.5}), row=number // 2 + 1, col=number % 2 + 1)
    figure.add_hline(maximum, row=1, col=1, line={"dash": "dot"}, annotation_text="maximum")
    figure.update_yaxes(rangemode="tozero")
    figure.update_xaxes(title="minutes", row=2)
    figure.update_layout(
        template="plotly_white", showlegend=False, width=1200, height=720, margin={"t": 40, "l": 60, "r": 20, "b": 50}
    )
    page = out / "soak.html"
    figure.write_html(page, include_plotlyjs=True, config={"displayModeBar": False})
    if chromium := shutil.which("chromium"):
        with TemporaryDirectory() as profile:
            options = (
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                f"--user-data-dir={profile}",
                "--hide-scrollbars",
                "--window-size=1216,736",
            )
            shot = (f"--screenshot={out / 'soak.png'}", "--virtual-time-budget=5000", page.resolve().as_uri())
            subprocess.run([chromium, *options, *shot], check=True, capture_output=True)  # noqa: S603  the system's browser


if __name__ == "__main__":
    typer.run(main)
