"""The verdict on one decision that is due: a function of the row, the campaign, the time and what is booked."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeAlias, get_args

from agents.recall.campaign import Campaign, Cap, Channel, Variant
from agents.recall.campaigns import Campaigns
from agents.recall.chance import chance, variant_of
from agents.recall.quiet import end_of_quiet
from agents.rules.view import View
from agents.rules.zones import zone
from agents.sameness import same
from schemas.events import ReachChannel, Scalar, UserId
from schemas.money import Minor
from schemas.recall import Outcome, Reason
from schemas.times import Millis
from tables.recalls import FAILED, RUN, Due, Recalls
from tables.row import Row

_REACH: Final[frozenset[str]] = frozenset(get_args(ReachChannel))
"""Channels that need consent and an address; the others put something into the user's account."""


class Choice(NamedTuple):
    """A channel, with how much chance each could have been chosen, which model said so, and what it went by."""

    channel: Channel
    propensities: dict[str, float] | None = None
    policy: str | None = None
    context: dict[str, float] | None = None


Choose: TypeAlias = Callable[["Case", Sequence[Channel]], Choice]


class Case(NamedTuple):
    """What a verdict goes by. `left`: what the campaign may still book today (None: as much as it likes).

    `is_paused`: by hand.
    """

    row: Row
    user_id: UserId
    due: Due
    campaign: Campaign
    campaigns: Campaigns
    view: View
    recalls: Recalls
    left: Minor | None
    is_paused: bool = False

    @property
    def at(self) -> Millis:
        """When it is decided."""
        return self.due.at

    @property
    def timezone(self) -> str:
        """The user's own, where it is stated and there is one of that name; else that of all campaigns."""
        stated = self.row.attributes.get("timezone")
        name = None if stated is None else stated.value
        return name if isinstance(name, str) and zone(name) is not None else self.campaigns.timezone

    def tag(self, name: str) -> Scalar:
        """The value of a tag then."""
        return None if self.view.tags is None else self.view.tags[name]

    @property
    def expires_at(self) -> Millis:
        """From then on it is too late."""
        return self.due.due + self.campaign.expiry_ms


class Verdict(NamedTuple):
    """What is done. `until`: deferred to then; `variant`, `choice`: where the user is eligible."""

    outcome: Outcome
    reasons: tuple[Reason, ...] = ()
    variant: Variant | None = None
    choice: Choice | None = None
    until: Millis | None = None

    @property
    def channel(self) -> Channel:
        """Where the user is eligible, the channel that was chosen."""
        if self.choice is None:
            raise ValueError("who is not eligible has no channel")
        return self.choice.channel


def first_of(_case: Case, channels: Sequence[Channel]) -> Choice:
    """The channels in their order."""
    return Choice(channels[0])


def judge(case: Case, choose: Choose = first_of) -> Verdict:
    """Decide: who must not be spoken to, who is eligible, and of those who is held out."""
    if reason := _not_now(case):
        return Verdict("suppressed", (reason,))
    channels, reasons = _open_channels(case)
    if not channels:
        return Verdict("suppressed", reasons)
    if reason := _too_much(case):
        return Verdict("suppressed", (reason,))
    if (until := _quiet_until(case)) is not None:
        if until >= case.expires_at:
            return Verdict("suppressed", ("quiet_hours", "expired"))
        return Verdict("deferred", ("quiet_hours",), until=until)
    return _eligible(case, choose(case, channels) if case.campaign.learned else first_of(case, channels))


def _not_now(case: Case) -> Reason | None:
    """Whether the campaign, or the user's state, rules it out."""
    campaign = case.campaign
    if case.is_paused or campaign.mode == "paused":
        return "paused"
    if case.due.due < campaign.mute_before:
        return "muted"
    is_by_change = not case.due.cause.startswith(RUN)
    if campaign.on is not None and is_by_change and not fits(campaign.on.to, case.tag(campaign.on.tag)):
        return "outdated"
    if campaign.audience is not None and not campaign.audience(case.view, None):
        return "not_in_audience"
    return "expired" if case.expires_at <= case.at else None


def fits(wanted: Scalar, value: Scalar) -> bool:
    """Whether a tag's value is the one that a campaign waits for: any but null where it names none."""
    return value is not None if wanted is None else same(wanted, value)


def _open_channels(case: Case) -> tuple[list[Channel], tuple[Reason, ...]]:
    """The channels that may be used, in their order; where there are none, why."""
    row, found, reasons = case.row, [], dict[Reason, None]()
    reachable = row.reachable.value if row.reachable is not None else []
    for channel in _after(case.campaign.channels, case.due.failed):
        agreed = row.consent.get(channel.name)
        if channel.name in _REACH and (agreed is None or agreed.value is not True):
            reasons["no_consent"] = None
        elif channel.name in _REACH and not (isinstance(reachable, list) and channel.name in reachable):
            reasons["unreachable"] = None
        elif case.left is not None and channel.cost > case.left:
            reasons["budget"] = None
        else:
            found.append(channel)
    return found, tuple(reasons) or ("failed",)


def _after(channels: Sequence[Channel], failed: str) -> Sequence[Channel]:
    """Those behind the one that has failed."""
    names = [channel.name for channel in channels]
    return channels[names.index(failed) + 1 :] if failed in names else channels


def _too_much(case: Case) -> Reason | None:
    """Whether the user has got enough."""
    campaign, sent = case.campaign, case.recalls.sent
    counted = [each for each in sent if not each.marks & FAILED]
    if _is_full(campaign.cap, [each.at for each in counted if each.campaign == campaign.name], case.at):
        return "frequency_cap"
    if _is_full(case.campaigns.cap, [each.at for each in counted], case.at):
        return "frequency_cap"
    by_name = case.campaigns.by_name
    slots = {by_name[each.campaign].slot for each in counted if each.at == case.at and each.campaign in by_name}
    return "outranked" if campaign.slot in slots else None


def _is_full(cap: Cap | None, times: Sequence[Millis], at: Millis) -> bool:
    """Whether there were as many within (at - span, at] as a cap allows."""
    return cap is not None and sum(at - cap.per_ms < each <= at for each in times) >= cap.most


def _quiet_until(case: Case) -> Millis | None:
    quiet = case.campaign.quiet
    return None if quiet is None else end_of_quiet(quiet, case.at, case.timezone)


def _eligible(case: Case, choice: Choice) -> Verdict:
    campaign, user_id = case.campaign, case.user_id
    variant = variant_of(campaign.variants, campaign.name, user_id)
    if chance("control", "", user_id) < case.campaigns.control:
        return Verdict("held_out", ("control",), variant, choice)
    if chance("hold_out", campaign.name, user_id) < campaign.hold_out:
        return Verdict("held_out", (), variant, choice)
    return Verdict("shadow" if campaign.mode == "shadow" else "triggered", (), variant, choice)
