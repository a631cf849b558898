"""A partition with campaigns, driven as a task drives it: events, epochs that are written, crashes in between."""

from typing import Final

import msgspec

from agents.limits import DEFAULT_LIMITS
from agents.partition import Partition
from app.rules_file import read_rules
from schemas.control import Command, Told
from schemas.recall import RecallDecision, RecallTrigger
from schemas.times import Millis
from schemas.topics import INPUT_TOPICS
from tables.changelog import State
from tables.control import Running
from tables.table import Table
from tests.live.desk import CLICKS, click, day, tick

RULES: Final = read_rules(b"""
recall.quiet_hours = "none"

[[campaign]]
name = "word"
channels = [{ channel = "coupon" }]

[[campaign]]
name = "other"
channels = [{ channel = "coupon" }]

[[campaign]]
name = "welcome"
on = { tag = "lifecycle", to = "active" }
channels = [{ channel = "gift" }]
""")


class Shop:
    """One partition. `decisions` and `triggers`: those of epochs that were written."""

    def __init__(self, partitions: int = 1) -> None:
        self.decisions: list[RecallDecision] = []
        self.triggers: list[RecallTrigger] = []
        self.told: list[Told] = []
        self._partitions = partitions
        self._rows: dict[bytes, bytes] = {}
        self._days: dict[bytes, bytes | None] = {}
        self._state: State | None = None
        self._offsets = dict.fromkeys(INPUT_TOPICS, 0)
        self._log: list[tuple[str, int, bytes]] = []
        self.partition = self._new()

    def _new(self) -> Partition:
        return Partition(0, DEFAULT_LIMITS, Table(), rulebook=RULES, partitions=self._partitions)

    def come(self, *users: str, at: float) -> None:
        """Users click, and time comes to just behind it."""
        for user in users:
            self.send(CLICKS, click(day(at), user, f"{user}{at}"))
        self.until(day(at) + 1)

    def until(self, at: Millis) -> None:
        """Let time come to here."""
        for topic in INPUT_TOPICS:
            self.send(topic, tick(at))
        self.work()

    def send(self, topic: str, value: bytes) -> None:
        """A record comes into a topic."""
        self._log.append((topic, self._offsets[topic], value))
        self.partition.take(topic, [(self._offsets[topic], value)])
        self._offsets[topic] += 1

    def tell(self, *commands: Command) -> None:
        """Commands come into the topic."""
        for command in commands:
            self.told.append(Told(len(self.told), command))

    def work(self, seconds: float = 0.1) -> None:
        """What a task does up to the end of an epoch."""
        self.partition.by_hand.take(self.told)
        while not self.partition.run():
            pass
        self.partition.run_campaigns(seconds)

    def write(self) -> None:
        """End an epoch."""
        epoch = self.partition.collect()
        for user, row in epoch.rows.items():
            if row is None:
                self._rows.pop(user.encode(), None)
            else:
                self._rows[user.encode()] = row
        self._days.update(epoch.days)
        self._state = msgspec.json.decode(msgspec.json.encode(epoch.state), type=State)
        self.decisions += epoch.decisions
        self.triggers += epoch.triggers

    def crash(self) -> None:
        """Forget what was not written, go on from what was, and read again what comes next."""
        self.partition = self._new()
        if self._state is not None:
            self.partition.resume(self._state, self._rows, self._days)
        for topic, offset, value in self._log:
            if offset >= self.partition.merge.next_offset(topic):
                self.partition.take(topic, [(offset, value)])

    def runs(self) -> dict[str, Running]:
        """Those that are known, by id."""
        return {run.id: run for run in self.partition.by_hand.control.runs}

    def decided(self, campaign: str) -> list[str]:
        """Who was decided about, as outcome or reason."""
        own = [each for each in self.decisions if each.campaign == campaign]
        return [f"{each.user_id}: {', '.join(each.reasons) or each.outcome}" for each in own]
