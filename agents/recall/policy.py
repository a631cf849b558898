"""A policy: how channels are chosen by what was learnt of them, as plain numbers, and with how much chance each."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from agents.recall.campaign import Channel
from agents.recall.chance import chance
from agents.recall.context import context_of
from agents.recall.verdict import Case, Choice

EXPLORED: Final = 0.1
"""So often any open channel is taken, the best one among them: nothing that is learnt is ever settled for good."""
MIN_LESSONS: Final = 50
"""Before so much is known of each open channel, all have the same chance."""


class Arm(Struct, array_like=True, frozen=True):
    """What a channel of a campaign is expected to bring, in currency units: linear in the context."""

    lessons: int
    intercept: float
    weights: Mapping[str, float]

    def value(self, context: Mapping[str, float]) -> float:
        """The reward to be expected."""
        return self.intercept + sum(weight * context.get(name, 0.0) for name, weight in self.weights.items())


class Policy(Struct, array_like=True, frozen=True):
    """Epsilon-greedy over what is expected of each channel; `arms` by campaign, then by channel."""

    version: str
    arms: Mapping[str, Mapping[str, Arm]]

    def propensities(self, campaign: str, channels: Sequence[str], context: Mapping[str, float]) -> dict[str, float]:
        """With how much chance each of the open channels is to be chosen; of equally good ones the first is the best.

        >>> UNIFORM.propensities("silent", ["push", "sms"], {})
        {'push': 0.5, 'sms': 0.5}
        """
        arms, even = self.arms.get(campaign, {}), 1.0 / len(channels)
        if any(name not in arms or arms[name].lessons < MIN_LESSONS for name in channels):
            return dict.fromkeys(channels, even)
        best = max(channels, key=lambda name: arms[name].value(context))
        return {name: EXPLORED * even + (1.0 - EXPLORED) * (name == best) for name in channels}

    def choose(self, case: Case, channels: Sequence[Channel]) -> Choice:
        """Draw one by a stable hash of campaign, time and user: the same at each try, evenly over users and times."""
        context = context_of(case)
        propensities = self.propensities(case.campaign.name, [channel.name for channel in channels], context)
        drawn = chance("channel", f"{case.campaign.name}/{case.at}", case.user_id)
        for channel in channels:
            drawn -= propensities[channel.name]
            if drawn < 0:
                return Choice(channel, propensities, self.version, context)
        return Choice(channels[-1], propensities, self.version, context)


UNIFORM: Final = Policy("uniform", {})
"""Where nothing was learnt."""
