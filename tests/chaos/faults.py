"""How each kind of fault is done."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from redis import Redis

from tests.chaos.crew import Crew
from tests.chaos.plan import Fault
from tests.servers import ApacheKafka, SystemRedis

SESSION_S: Final = 2.0
LEAST: Final = 2
"""So many workers at least."""
MOST: Final = 5


@dataclass(frozen=True)
class Site:
    """What faults are done to."""

    crew: Crew
    broker: ApacheKafka
    store: SystemRedis

    def do(self, fault: Fault) -> str:
        """Do it, and end it; what was done, in words."""
        return _WAYS[fault.kind](self, fault)


def _power_cut(site: Site, fault: Fault) -> str:
    victim = site.crew.one(fault.pick)
    site.crew.kill(victim)
    time.sleep(fault.lasts_s)
    site.crew.start(victim)
    return f"worker {victim} was away for {fault.lasts_s} s"


def _deploy(site: Site, fault: Fault) -> str:
    victim = site.crew.one(fault.pick)
    told = site.crew.retire(victim)
    site.crew.start(victim)
    return told


def _zombie(site: Site, fault: Fault) -> str:
    victim = site.crew.one(fault.pick)
    lasts_s = 3 * SESSION_S + fault.lasts_s
    with site.crew.asleep(victim):
        time.sleep(lasts_s)
    return f"worker {victim} slept for {lasts_s:.1f} s"


def _doze(site: Site, fault: Fault) -> str:
    victim = site.crew.one(fault.pick)
    with site.crew.asleep(victim):
        time.sleep(SESSION_S / 2)
    return f"worker {victim} slept for {SESSION_S / 2} s"


def _scale_out(site: Site, _: Fault) -> str:
    if len(site.crew.running) == MOST:
        return "enough workers were there"
    return f"worker {site.crew.add()} joined"


def _scale_in(site: Site, fault: Fault) -> str:
    if len(site.crew.running) == LEAST:
        return f"worker {site.crew.add()} joined, as only {LEAST} were left"
    return f"{site.crew.retire(site.crew.one(fault.pick))}, and stays away"


def _blackout(site: Site, fault: Fault) -> str:
    victims = site.crew.running
    site.crew.kill(*victims)
    time.sleep(fault.lasts_s)
    site.crew.start(*victims)
    return f"all {len(victims)} workers were away for {fault.lasts_s} s"


def _broker_restart(site: Site, fault: Fault) -> str:
    return _away(site, fault, site.broker.stop)


def _broker_power_cut(site: Site, fault: Fault) -> str:
    return _away(site, fault, site.broker.kill)


def _away(site: Site, fault: Fault, end: Callable[[], None]) -> str:
    began = time.monotonic()
    with site.crew.without_broker():
        end()
        time.sleep(fault.lasts_s)
        site.broker.start()
    return f"the broker was away for {time.monotonic() - began:.1f} s"


def _broker_hang(site: Site, fault: Fault) -> str:
    with site.crew.without_broker(), stopped(site.broker.pid):
        time.sleep(fault.lasts_s)
    return f"the broker did not answer for {fault.lasts_s} s"


def _redis_restart(site: Site, fault: Fault) -> str:
    site.store.stop()
    time.sleep(fault.lasts_s)
    site.store.start()
    return f"Redis was away for {fault.lasts_s} s, and came back empty"


def _redis_flush(site: Site, _: Fault) -> str:
    with Redis.from_url(site.store.url) as client:
        client.flushall()
    return "everything in Redis was deleted"


def _redis_hang(site: Site, fault: Fault) -> str:
    with stopped(site.store.pid):
        time.sleep(fault.lasts_s)
    return f"Redis did not answer for {fault.lasts_s} s"


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process that hangs in the meantime."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


_WAYS: Final[Mapping[str, Callable[[Site, Fault], str]]] = {
    "power cut": _power_cut,
    "deploy": _deploy,
    "zombie": _zombie,
    "doze": _doze,
    "scale out": _scale_out,
    "scale in": _scale_in,
    "blackout": _blackout,
    "broker restart": _broker_restart,
    "broker power cut": _broker_power_cut,
    "broker hang": _broker_hang,
    "Redis restart": _redis_restart,
    "Redis flush": _redis_flush,
    "Redis hang": _redis_hang,
}
