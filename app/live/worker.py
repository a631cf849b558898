"""One worker process: builds everything from the settings, runs until a signal or a fault, ends with written epochs."""

import asyncio
import logging
import signal
from contextlib import suppress
from socket import gethostname
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import faust
from msgspec.structs import replace

from agents.churn.grid import Grid
from agents.partition import Epoch, Partition
from agents.rules.rulebook import NO_RULES, Rulebook
from app.api.api import Api
from app.api.publisher import Publisher
from app.api.sources import Sources
from app.churn.child import TrainerChild
from app.clock import now
from app.discreet import in_words
from app.explain.explain import Basis
from app.explain.written import written
from app.live.control import ControlTopic
from app.live.epoch_log import EpochLog, PlainLog, TransactionalLog
from app.live.guard import Guard
from app.live.lane import LaneConsumer
from app.live.metrics import Metrics
from app.live.moves_model import MovesModel
from app.live.outputs import Outputs
from app.live.retention import LostEventsError
from app.live.service import build
from app.live.status import PartitionStatus, Summary
from app.live.task import Clocks, PartitionTask, Phase, Wiring
from app.live.tasks import STALLED_S, TaskManager
from app.live.web import Views
from app.partition_count import check_written_count
from app.ports import problem
from app.read_model.connection import connect
from app.read_model.read_model import ReadModel
from app.read_model.reader import Reader
from app.read_model.users import Owned
from app.settings import RULES_NONE, Clock, Delivery, OnLostEvents, Settings
from app.topics import changelog_name, output_name, prepare
from schemas.times import SECOND_MS
from schemas.topics import Topic
from tables.codec import UnreadableError
from tables.table import Table

if TYPE_CHECKING:
    from app.churn.scorer import Scorer

HOT_ROWS: Final = 400_000
"""Decoded rows that a worker keeps, over all its partitions; about 2 KB each."""
STOP_S: Final = 20
FIRST: Final = 0
"""Who owns this partition trains the models."""

_LOG: Final = logging.getLogger(__name__)


class WorkerError(Exception):
    """The worker cannot go on; the text is one line that says what to do."""


class StalledError(Exception):
    """A partition makes no progress; a new process may."""


class Worker:
    """One worker."""

    def __init__(self, settings: Settings, rulebook: Rulebook = NO_RULES) -> None:
        self._settings = settings
        self._rulebook = rulebook
        self._kafka = settings.kafka_connection
        self._owner = f"{gethostname()}:{settings.web_port}"
        self._outputs = Outputs(settings.app_id)
        self._tasks: TaskManager | None = None
        self._turn = asyncio.Lock()
        owned = self._owned if settings.read_model else None
        self._read_model = ReadModel(settings.redis_connection, settings.app_id, self._statuses, owned)
        self._scorer = None if settings.grid is None else _scorer(settings, settings.grid)
        self._metrics = self._new_metrics()
        self._control = None if settings.rules == RULES_NONE else ControlTopic(settings)
        self._users = connect(settings.redis_connection)
        self._moves = MovesModel(
            settings.redis_connection, settings.app_id, lambda: self._tasks.tasks.values() if self._tasks else ()
        )
        self._api = Api(self._sources())
        self._trainer = TrainerChild(lambda: self._tasks is not None and FIRST in self._tasks.tasks)

    async def run(self) -> None:
        """Process until SIGTERM or SIGINT.

        Raises WorkerError for what only a person can mend, StalledError where a restart may help, BrokerError.
        """
        stopped = _on_signals()
        _check_port(self._settings)
        await asyncio.to_thread(prepare, self._settings)
        await asyncio.to_thread(_check_changelog, self._settings)
        if self._control is not None:
            await self._control.read()
        app = build(self._settings, self._new_tasks)
        web: Any = app.web
        Guard(self._settings.web_token).add_to(web.web_app)
        Views(lambda: self._tasks, self._metrics, self._summary, self._settings.title).add_to(web.web_app)
        self._api.add_to(web.web_app)
        beside = [asyncio.create_task(self._read_model.run())]
        if self._control is not None:
            beside.append(asyncio.create_task(self._control.run()))
        if self._scorer is not None:
            beside += [asyncio.create_task(self._scorer.run()), asyncio.create_task(self._trainer.run())]
        beside.append(asyncio.create_task(self._moves.run()))
        await app.start()
        _LOG.info("the web view is at http://%s:%d", self._settings.web_host, self._settings.web_port)
        try:
            await self._watch(app, stopped)
        finally:
            for task in beside:
                task.cancel()
            await self._end(app)
            await asyncio.gather(*beside, return_exceptions=True)
        _LOG.info("ended")

    async def _end(self, app: faust.App) -> None:
        """Write the last epochs, tell the group, and leave it; Faust may not end by itself after a fault."""
        if self._tasks is not None:
            await self._tasks.revoke()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                if not app.crashed:
                    await app.consumer.commit()
                await self._api.close()
                await self._users.aclose()
                await self._read_model.close()
                await self._moves.close()
                await app.stop()

    async def _watch(self, app: faust.App, stopped: asyncio.Event) -> None:
        """Return when told to stop; raise when something is wrong."""
        while not stopped.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await stopped.wait()
            if app.crashed:
                raise StalledError(f"Faust stopped: {in_words(app.crash_reason)}")
            if self._tasks is not None:
                self._check(self._tasks)

    def _check(self, tasks: TaskManager) -> None:
        if tasks.fatal.done():
            error = tasks.fatal.result()
            if isinstance(error, (LostEventsError, UnreadableError)):
                raise WorkerError(str(error))
            raise error
        stalled = [task.number for task in tasks.stalled(monotonic())]
        self._metrics.stalled = bool(stalled)
        if stalled:
            raise StalledError(f"partitions {stalled} have made no progress for {STALLED_S} s")

    def _new_tasks(self, consumer: LaneConsumer) -> TaskManager:
        self._tasks = TaskManager(lambda number: self._new_task(number, consumer), consumer.is_member)
        return self._tasks

    def _new_metrics(self) -> Metrics:
        scorer, wall = self._scorer, now if self._settings.clock is Clock.WALL else None
        models = None if scorer is None else lambda: scorer.ensemble
        return Metrics(self._statuses, self._rulebook, wall, self._read_model, models)

    def _new_task(self, number: int, consumer: LaneConsumer) -> PartitionTask:
        settings = self._settings
        wiring = Wiring(
            log=self._log(number),
            outputs=self._outputs,
            ranges=consumer.ranges,
            committed=self._committed,
            turn=self._turn,
            partitions=settings.partitions,
            score=None if self._scorer is None else self._scorer.score,
            voice=None if self._scorer is None else self._scorer.voice,
            told=(lambda _: ()) if self._control is None else self._control.since,
            policy=None if self._scorer is None else self._scorer.policy,
            clocks=Clocks(monotonic, now if settings.clock is Clock.WALL else None),
            restored=lambda task, seconds: self._metrics.counts.restored(task.restored_rows, seconds),
        )
        accept_loss = settings.on_lost_events is OnLostEvents.ACCEPT
        return PartitionTask(
            number, lambda: self._partition(number), wiring, settings.epoch_ms / SECOND_MS, accept_loss=accept_loss
        )

    def _partition(self, number: int) -> Partition:
        """A partition in which nothing is known yet: it is new here, or to be restored."""
        settings = self._settings
        self._read_model.forget(number)
        table = Table(max(HOT_ROWS // settings.partitions, 1))
        limits = replace(settings.limits, portraits=bool(self._rulebook.names), churn=settings.grid)
        return Partition(number, limits, table, settings.partitions, self._rulebook)

    def _log(self, number: int) -> EpochLog:
        settings, changelog = self._settings, changelog_name(self._settings)
        if settings.delivery is Delivery.EXACTLY_ONCE:
            return TransactionalLog(self._kafka, number, changelog, self._name_of, settings.app_id)
        return PlainLog(self._kafka, number, changelog, self._name_of)

    def _name_of(self, topic: Topic) -> str:
        return output_name(self._settings, topic)

    def _committed(self, task: PartitionTask, epoch: Epoch, seconds: float) -> None:
        self._metrics.counts.committed(epoch, seconds, task.arrivals.applied(epoch.state.positions), now())
        self._read_model.committed(task.number, epoch)

    def _statuses(self) -> list[PartitionStatus]:
        return [PartitionStatus.of(task, self._owner) for task in self._tasks.tasks.values()] if self._tasks else []

    def _sources(self) -> Sources:
        """What the API tells of."""
        return Sources(
            settings=self._settings,
            rulebook=self._rulebook,
            summary=self._summary,
            moves=self._moves.told,
            partitions=self._read_model.partitions,
            ensemble=lambda: None if self._scorer is None else self._scorer.ensemble,
            told=lambda: () if self._control is None else self._control.all,
            publisher=Publisher(self._settings),
            reader=Reader(self._users, self._settings.app_id, self._settings.partitions),
            basis=Basis(self._rulebook, written(self._settings.rules_path), self._settings.limits),
        )

    def _owned(self) -> Owned:
        if self._tasks is None:
            return Owned(0, {})
        tables = {
            number: task.partition.table if task.phase is Phase.RUNNING else None
            for number, task in self._tasks.tasks.items()
        }
        return Owned(self._tasks.assignments, tables)

    async def _summary(self) -> Summary:
        return await self._read_model.summary()


def _scorer(settings: Settings, grid: Grid) -> "Scorer":
    """The models' libraries take a second and 100 MB: only who scores loads them."""
    from app.churn.scorer import Scorer  # noqa: PLC0415  see above

    return Scorer(settings, grid)


def _on_signals() -> asyncio.Event:
    """Set when the process is asked to end."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    return stopped


def _check_changelog(settings: Settings) -> None:
    """Refuse rows of a newer version, or of another number of partitions, before the group hears of this worker."""
    try:
        check_written_count(settings)
    except UnreadableError as error:
        raise WorkerError(str(error)) from None


def _check_port(settings: Settings) -> None:
    """Say it in one line if the web view's port is taken."""
    if error := problem(settings.web_host, settings.web_port):
        where = f"{settings.web_host}:{settings.web_port}"
        raise WorkerError(f"{where} cannot be used: {error.strerror}; set REKINDLE_WEB_PORT to a free one")
