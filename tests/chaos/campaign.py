"""One campaign from its first event to its verdict."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from re import search
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from redis import Redis

from tests.chaos.crew import Crew
from tests.chaos.faults import SESSION_S, Site
from tests.chaos.load import Load
from tests.chaos.plan import Fault, plan
from tests.chaos.stored import RULES, Stored, group_lag
from tests.chaos.verdict import Finding, verdict
from tests.flow.system import System
from tests.servers import ApacheKafka, SystemRedis, fetch_kafka, redis_program

WORKERS: Final = 3
PARTITIONS: Final = 8
RECOVERY_S: Final = 90.0
REBUILD_S: Final = 7.0
LOOK_EVERY_S: Final = 0.25


class Size(NamedTuple):
    """How large a campaign is; `span_s`: how long the slowest producer sends."""

    users: int
    events: int
    span_s: float
    short: bool = False


FULL: Final = Size(users=20_000, events=200_000, span_s=220)
SHORT: Final = Size(users=2_000, events=20_000, span_s=60, short=True)


class Done(NamedTuple):
    """A fault that was done: when, what, and how long until every partition wrote again (None: not waited for)."""

    at_s: float
    fault: Fault
    what: str
    recovered_s: float | None


@dataclass
class Report:
    """What was done, and what was found."""

    seed: int
    size: Size
    done: list[Done] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether every law held."""
        return all(finding.holds for finding in self.findings)


class Campaign:
    """Runs one. `tell`: hears each step in a line."""

    def __init__(self, seed: int, size: Size, folder: Path, tell: Callable[[str], None]) -> None:
        self.report = Report(seed, size)
        self._folder = folder
        self._tell = tell
        self._began = time.monotonic()
        self._served: list[int] = []

    def run(self, broker: ApacheKafka, store: SystemRedis) -> Report:
        """Load, faults, the end, the verdict."""
        report, size = self.report, self.report.size
        load = Load(report.seed, size.users, size.events, size.span_s)
        name = f"chaos-{report.seed}-{int(time.time())}"
        system = System(
            self._folder, kafka=broker.bootstrap, redis=store.url, app_id=name, topic_prefix=f"{name}.",
            partitions=str(PARTITIONS), clock="event", session_timeout=f"{SESSION_S:g}s", rules=str(RULES),
        )  # fmt: skip
        with system, Crew(system, WORKERS, self._note) as crew:
            system.wait_until_ready()
            load.start(system)
            self._do_all(Site(crew, broker, store), load, plan(report.seed, short=size.short))
            self._tell("no more faults; the rest of the events comes in")
            load.join(system)
            self._settle(crew, load, store)
        self._tell("the verdict")
        stored = Stored(system)
        report.findings += verdict(stored, load)
        served = ", ".join(f"{number:,}" for number in self._served)
        rebuilt = set(self._served) == {len(stored.arrivals)}
        report.findings.append(Finding("Redis, emptied once more, is rebuilt", rebuilt, f"{served} events served"))
        report.findings.append(self._logs(system))
        report.seconds = time.monotonic() - self._began
        return report

    def _do_all(self, site: Site, load: Load, faults: Sequence[Fault]) -> None:
        for number, fault in enumerate(faults, 1):
            time.sleep(fault.pause_s)
            at_s = time.monotonic() - self._began
            what = site.do(fault)
            recovered_s = self._recover(site.crew.system, load) if fault.waits else None
            self.report.done.append(Done(at_s, fault, what, recovered_s))
            again = "" if recovered_s is None else f"; an epoch of every partition after {recovered_s:.1f} s"
            self._tell(f"{number}/{len(faults)} {fault.kind}: {what}{again}")

    def _recover(self, system: System, load: Load) -> float | None:
        """Wait until every partition has written an epoch; how long that took. None where nothing comes in any more."""
        began, before = time.monotonic(), system.epochs()
        while load.is_sending:
            if (passed := time.monotonic() - began) > RECOVERY_S:
                raise TimeoutError(f"no recovery in {RECOVERY_S:g} s\n{system.logs()[-4000:]}")
            now = system.epochs()
            if len(now) == PARTITIONS and all(number > before.get(each, -1) for each, number in now.items()):
                return passed
            time.sleep(LOOK_EVERY_S)
        return None

    def _settle(self, crew: Crew, load: Load, store: SystemRedis) -> None:
        """Let everything be applied, look at what is served, and end the workers."""
        system = crew.system
        deadline = time.monotonic() + RECOVERY_S
        while not system.has_reached(load.ends) or group_lag(system.settings):
            if time.monotonic() > deadline:
                left = f"watermarks {system.watermarks()}, lag {group_lag(system.settings)}"
                raise TimeoutError(f"not everything is applied after {RECOVERY_S:g} s: {left}")
            time.sleep(LOOK_EVERY_S)
        self._served = _served(system, store)
        crew.end()
        alone = "no worker ends by itself while the broker is there"
        self.report.findings.append(Finding(alone, not crew.unexcused, f"{crew.unexcused}"))
        codes = system.stop()
        self.report.findings.append(Finding("workers end with exit code 0", not any(codes), ", ".join(map(str, codes))))

    def _note(self, what: str) -> None:
        self.report.notes.append(f"{time.monotonic() - self._began:.0f} s: {what}")
        self._tell(what)

    def _logs(self, system: System) -> Finding:
        found = search(r".*user-\d+.*", system.logs())
        return Finding("no user is named in a log", found is None, found[0] if found else "none")


def run_alone(seed: int, size: Size, folder: Path, tell: Callable[[str], None]) -> Report:
    """Run one on a broker and a Redis of its own; logs go into the folder."""
    fetch_kafka()
    with TemporaryDirectory(prefix="rekindle-chaos-", ignore_cleanup_errors=True) as data, ExitStack() as at_the_end:
        broker, store = ApacheKafka(Path(data)), SystemRedis(redis_program())
        at_the_end.callback(broker.stop)
        at_the_end.callback(store.stop)
        broker.start()
        store.start()
        return Campaign(seed, size, folder, tell).run(broker, store)


def _served(system: System, store: SystemRedis) -> list[int]:
    """The events that each worker serves, before and after Redis was emptied, although nothing happens any more."""
    time.sleep(REBUILD_S)  # Redis is written behind the epochs, and was restarted not long ago
    before = [summary["events"] for summary in system.summaries() if summary["store"]]
    with Redis.from_url(store.url) as client:
        client.flushall()
    time.sleep(REBUILD_S)
    after = [summary["events"] for summary in system.summaries() if summary["store"]]
    return [*before, *after]
