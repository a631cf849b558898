"""What a comparison found of one campaign, as it stands in diff.json."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Final, TypeAlias, get_args

from msgspec import Meta, Struct

from agents.recall.campaign import Campaign
from app.report_types import Count
from app.rules_diff.firings import Fired, Firings, matches
from app.tag_moves import Days
from schemas.events import RecallChannel
from schemas.money import Minor
from schemas.recall import Outcome, Reason

_ByDay = Annotated[list[Count], Meta(description="triggers on each of the days")]
_Cost = Annotated[Minor, Meta(description="of all triggers by the costs in the file, in minor units")]
_Way: TypeAlias = tuple[RecallChannel, str | None]

_OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
_WITHOUT_REASON: Final[frozenset[Outcome]] = frozenset({"held_out", "shadow"})
_REASONS: Final[tuple[Reason | None, ...]] = (None, *get_args(Reason))


class Decided(Struct, kw_only=True, frozen=True):
    """How often something was decided."""

    outcome: Outcome
    reason: Annotated[Reason | None, Meta(description="null: whatever the reason, if any")]
    old: Count
    new: Count


class Way(Struct, kw_only=True, frozen=True):
    """The triggers on one channel, in one variant."""

    channel: RecallChannel
    variant: str | None
    old: Count
    new: Count
    old_cost: _Cost
    new_cost: _Cost


class CampaignDiff(Struct, kw_only=True, frozen=True):
    """One campaign under both files, over the days that are compared. All counts but those of users are triggers."""

    is_old: Annotated[bool, Meta(description="whether the old file has it")]
    is_new: Annotated[bool, Meta(description="whether the new file has it")]
    is_changed: Annotated[bool, Meta(description="whether the files say another thing of it; not: tags or caps may")]
    old: Count
    new: Count
    both: Annotated[Count, Meta(description="under both: to the same user on the same UTC day")]
    only_old: Count
    only_new: Count
    other_way: Annotated[Count, Meta(description="of those under both: on another channel, or in another variant")]
    old_users: Count
    new_users: Count
    both_users: Annotated[Count, Meta(description="users who get any under both")]
    old_cost: _Cost
    new_cost: _Cost
    ways: list[Way]
    decided: Annotated[list[Decided], Meta(description="what has two reasons stands under both")]
    old_by_day: _ByDay
    new_by_day: _ByDay
    both_by_day: _ByDay

    @property
    def differs(self) -> bool:
        """Whether it makes any difference for the users of this history."""
        is_other = self.only_old or self.only_new or self.other_way or self.old_cost != self.new_cost
        return bool(is_other) or any(each.old != each.new for each in self.decided)

    @property
    def others(self) -> list[Decided]:
        """What was decided but triggers; what always has reasons by those."""
        return [each for each in self.decided if each.reason or each.outcome in _WITHOUT_REASON]

    @classmethod
    def of(
        cls, firings: tuple[Firings, Firings], campaigns: tuple[Campaign | None, Campaign | None], days: Days, *,
        is_changed: bool,
    ) -> "CampaignDiff":  # fmt: skip
        """One campaign; None where a file does not have it."""
        old, new = firings[0].all, firings[1].all
        both = [(one, other) for one, other in matches(*firings) if one is not None and other is not None]
        users = {each.user_id for each in old}, {each.user_id for each in new}
        ways = list(_ways(old, new, campaigns))
        return cls(
            is_old=campaigns[0] is not None,
            is_new=campaigns[1] is not None,
            is_changed=is_changed,
            old=len(old),
            new=len(new),
            both=len(both),
            only_old=len(old) - len(both),
            only_new=len(new) - len(both),
            other_way=sum(not one.is_like(other) for one, other in both),
            old_users=len(users[0]),
            new_users=len(users[1]),
            both_users=len(users[0] & users[1]),
            old_cost=sum(way.old_cost for way in ways),
            new_cost=sum(way.new_cost for way in ways),
            ways=ways,
            decided=list(_decided(*firings)),
            old_by_day=_by_day(old, days),
            new_by_day=_by_day(new, days),
            both_by_day=_by_day((one for one, _ in both), days),
        )


def _ways(
    old: Iterable[Fired], new: Iterable[Fired], campaigns: tuple[Campaign | None, Campaign | None]
) -> Iterator[Way]:
    """By channel and variant, what most triggers went by first."""
    counts: Sequence[Counter[_Way]] = [Counter((each.channel, each.variant) for each in side) for side in (old, new)]
    costs = [{each.name: each.cost for each in campaign.channels} if campaign else {} for campaign in campaigns]
    for way in sorted({*counts[0], *counts[1]}, key=lambda way: (-counts[0][way] - counts[1][way], str(way))):
        channel, variant = way
        yield Way(
            channel=channel,
            variant=variant,
            old=counts[0][way],
            new=counts[1][way],
            old_cost=counts[0][way] * costs[0].get(channel, 0),
            new_cost=counts[1][way] * costs[1].get(channel, 0),
        )


def _decided(old: Firings, new: Firings) -> Iterator[Decided]:
    sides = old.counts, new.counts
    for outcome in _OUTCOMES:
        for reason in _REASONS:
            counts = [side[outcome, reason] for side in sides]
            if any(counts):
                yield Decided(outcome=outcome, reason=reason, old=counts[0], new=counts[1])


def _by_day(fired: Iterable[Fired], days: Days) -> list[int]:
    counts = Counter(each.day for each in fired)
    return [counts[day] for day in days]
