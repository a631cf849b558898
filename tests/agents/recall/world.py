"""A world with known truth: people answer to messages, and to which ones depends on who they are.

Everyone goes silent again and again. Who has bought is called back by sms, who has not by push; a coupon works for
everyone, and costs more than it brings.
"""

from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Final

from agents.limits import DEFAULT_LIMITS
from agents.partition import Partition
from agents.recall.bandit import Bandit
from agents.recall.campaign import Campaign, Channel, On
from agents.recall.campaigns import Campaigns
from agents.recall.policy import UNIFORM
from agents.rules.rulebook import Rulebook
from schemas.events import AnyEvent
from schemas.examples import Lesson
from schemas.recall import RecallTrigger
from schemas.times import DAY_MS, HOUR_MS, Millis
from tables.table import Table
from tests.agents.drive import click, day, order, profile

CHANNELS: Final = (Channel("push", 2), Channel("sms", 5), Channel("coupon", 150))
ANSWERS: Final = {"push": (0.5, 0.1), "sms": (0.1, 0.5), "coupon": (0.6, 0.6)}
"""How likely who has not bought, and who has, comes back by each channel."""
ORDER: Final = 0.5
"""Who has bought buys for so much when called back."""
USERS: Final = 300
DAYS: Final = 500
LEARN_EVERY: Final = 5 * DAY_MS


def worth(channel: Channel, *, has_bought: bool) -> float:
    """What a message is worth on average, in currency units: a recall is worth 1, and what is bought by it."""
    return ANSWERS[channel.name][has_bought] * (1 + ORDER * has_bought) - channel.cost / 100


def has_bought(user_id: str) -> bool:
    return int(user_id[1:]) % 2 == 1


class World:
    """Runs a partition over the people; `learns`: whether the policy follows what is learnt."""

    def __init__(self, seed: int, *, learns: bool) -> None:
        self._random = Random(seed)  # noqa: S311  people, no secret
        campaign = Campaign("silent", CHANNELS, on=On("lifecycle", "silent"), learned=True)
        rulebook = Rulebook((), campaigns=Campaigns((campaign,)))
        self.partition = Partition(0, DEFAULT_LIMITS, Table(), rulebook=rulebook)
        self.lessons: list[Lesson] = []
        self.triggers: list[RecallTrigger] = []
        self._learns, self._bandit = learns, Bandit()
        self._ids = count()
        self._waiting: list[tuple[Millis, int, AnyEvent]] = []

    def run(self) -> "World":
        for number in range(USERS):
            self._arrive(f"u{number}", day(self._random.random() * 30))
        for until in range(day(1), day(DAYS), DAY_MS):
            while self._waiting and self._waiting[0][0] < until:
                self.partition.apply(event := heappop(self._waiting)[-1], event.ts)
            self.partition.advance(until)
            triggers, _ = self.partition.desk.said.take()
            self.triggers += triggers
            for trigger in triggers:
                self._answer(trigger)
            if until % LEARN_EVERY == 0:
                self._learn()
        return self

    def _arrive(self, user_id: str, at: Millis) -> None:
        agreed = {"push": True, "sms": user_id[-1] != "7"}
        self._add(profile(at, f"p{user_id}", user_id, consent=agreed, reachable=["push", "sms"]))
        self._add(self._order(user_id, at) if has_bought(user_id) else self._click(user_id, at))

    def _answer(self, trigger: RecallTrigger) -> None:
        """Come back within the window, or by oneself weeks later."""
        answers = self._random.random() < ANSWERS[trigger.recall_channel][has_bought(trigger.user_id)]
        wait_ms = self._random.uniform(1, 20) * (HOUR_MS if answers else 2 * DAY_MS) + DAY_MS * (not answers)
        at, user_id = trigger.at + int(wait_ms), trigger.user_id
        buys = answers and has_bought(user_id)
        self._add(self._order(user_id, at) if buys else self._click(user_id, at))

    def _click(self, user_id: str, at: Millis) -> AnyEvent:
        return click(at, f"c{next(self._ids)}", user_id)

    def _order(self, user_id: str, at: Millis) -> AnyEvent:
        name = f"o{next(self._ids)}"
        return order(at, name, user_id, order_id=name, total=ORDER)

    def _add(self, event: AnyEvent) -> None:
        heappush(self._waiting, (event.ts, next(self._ids), event))

    def _learn(self) -> None:
        lessons = self.partition.desk.lessons.take()
        self.lessons += lessons
        self._bandit.learn(lessons)
        if self._learns:
            self.partition.desk.choose = (self._bandit.policy("v") or UNIFORM).choose
