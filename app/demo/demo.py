"""The demo: broker, store and worker on this machine, a history replayed, messages simulated, and a picture of it."""

import signal
import time
from types import FrameType
from typing import Final, NoReturn

from pydantic import SecretStr
from rich.console import Console

from app.connection import Security
from app.demo.answering import Answering
from app.demo.embedded import HOST, EmbeddedBroker, EmbeddedStore
from app.demo.moment import Moment, Rate
from app.demo.player import Player
from app.demo.screen import Screen, screen
from app.demo.story import Story
from app.demo.worker import DemoWorker
from app.settings import Clock, Delivery, Settings
from schemas.times import DAY_MS, Millis

PARTITIONS: Final = 4
CHURN_EVERY_MS: Final[Millis] = 15 * DAY_MS
"""A year in a minute leaves little time to learn."""
READY_S: Final = 60
LOOK_EVERY_S: Final = 0.5
NOT_SECURED: Final = {
    "kafka_security": Security.PLAINTEXT,
    "kafka_password": SecretStr(""),
    **dict.fromkeys(("kafka_username", "kafka_ca", "kafka_certificate", "kafka_key", "redis_ca"), ""),
}
"""Its servers are on this machine alone, whatever the user's own ask for."""

CHANGES_NOTHING: Final = "Messages change nothing in a history that is over, so any lift in it is chance."

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class WorkerEndedError(Exception):
    """The worker ended, or never became ready, though nobody asked it to; the text has its last words."""


def run(story: Story, settings: Settings, seconds: float, console: Console) -> NoReturn:
    """Show the story until Ctrl-C, which raises KeyboardInterrupt after everything has been stopped.

    `settings`: the user's, with a free `web_port`. Raises EmbeddedError where a server does not start,
    WorkerEndedError, and what may go wrong with a replay: HistoryError and BrokerError.
    """
    for number in _SIGNALS:
        signal.signal(number, _interrupt)
    console.print("starting a broker, a store and a worker on this machine ...", style="dim")
    answering = Answering()
    player = Player(story, seconds)
    player.start()
    with EmbeddedBroker() as broker, EmbeddedStore() as store:
        settings = demo_settings(settings, broker.bootstrap, store.url, f"{story.label}. {CHANGES_NOTHING}")
        with DemoWorker(settings) as worker, screen(console) as shown:
            try:
                _watch(worker, player, answering, settings, story.label, shown)
            finally:
                player.stop()
                answering.stop()


def demo_settings(settings: Settings, kafka: str, redis: str, title: str) -> Settings:
    """The user's settings, for the servers of the demo: these know no transactions, and a replay moves time."""
    ours = {
        "kafka": kafka,
        "redis": redis,
        **NOT_SECURED,
        "delivery": Delivery.AT_LEAST_ONCE,
        "clock": Clock.EVENT,
        "partitions": PARTITIONS,
        "churn_every": CHURN_EVERY_MS,
        "title": title,
        "web_host": HOST,
    }
    return settings.model_copy(update=ours)


def _watch(
    worker: DemoWorker, player: Player, answering: Answering, settings: Settings, label: str, shown: Screen
) -> NoReturn:
    rate = Rate()
    summary = None
    is_ready = False
    patience_ends = time.monotonic() + READY_S
    while True:
        now = time.monotonic()
        if not is_ready and worker.is_ready():
            is_ready = True
            answering.begin(settings)
            player.begin(settings)
        summary = worker.summary() or summary
        player.reached = max(player.reached, summary.watermark if summary else 0)
        player.reported = answering.reported
        _check(worker, player, answering, is_late=not is_ready and now > patience_ends)
        speed = rate.of(summary.events if summary else 0, now)
        moment = Moment(
            label=label,
            url=worker.url,
            act=player.act,
            sent=player.sent,
            total=player.total,
            rate=speed,
            summary=summary,
        )
        shown.show(moment, now)
        time.sleep(max(LOOK_EVERY_S - (time.monotonic() - now), 0))


def _check(worker: DemoWorker, player: Player, answering: Answering, *, is_late: bool) -> None:
    """Raise what went wrong, if anything did."""
    if not worker.alive:
        raise WorkerEndedError(f"the worker ended{worker.last_words}")
    if is_late:
        raise WorkerEndedError(f"the worker is not ready after {READY_S} s{worker.last_words}")
    for failure in (player.failure, answering.failure):
        if failure is not None:
            raise failure


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Ctrl-C once: nothing may disturb the stopping."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
