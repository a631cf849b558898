"""What a backtest found, as it stands in report.json: a function of the input and the settings, and of nothing else.

There is no wall clock, no duration and no folder in it, so that two runs over the same files give the same bytes.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import PurePath
from typing import Annotated

from msgspec import Meta, Struct, field
from msgspec.structs import astuple

from app.campaign_data import CampaignResults
from app.churn_data import Churn
from app.history import history as source
from app.policy_data import Policies
from app.population import Population, State
from app.report_types import Count, Span
from app.tag_moves import TagMoves, dates, in_order, value_of
from schemas.changes import TagName
from schemas.dead_letter import DeadReason
from schemas.events import Scalar
from schemas.times import Millis, format_span


class History(Struct, kw_only=True, frozen=True):
    """What was read. Times are ms since 1970; None where no event was read."""

    files: Annotated[list[str], Meta(description="names, without their folders")]
    format: str
    records: Annotated[Count, Meta(description="lines or rows: events, ticks, dead letters and what was skipped")]
    events: Annotated[dict[str, Count], Meta(description="by type; only what was taken")]
    ticks: Count
    skipped: Annotated[dict[str, Count], Meta(description="by reason: records that are no events of users")]
    after_until: Annotated[Count, Meta(description="events after `until`, which were left out")]
    first_ts: Annotated[Millis | None, Meta(description="of the earliest event, ms since 1970")]
    last_ts: Annotated[Millis | None, Meta(description="of the latest event, ms since 1970")]
    until: Annotated[Millis | None, Meta(description="the moment for which everything is said, ms since 1970")]

    @classmethod
    def of(cls, history: source.History, file_format: str, events: Mapping[str, int]) -> "History":
        """A history that has been read to its end; `events` by type."""
        return cls(
            files=[file.path.name for file in history.files],
            format=file_format,
            records=history.records,
            events=dict(events),
            ticks=history.ticks,
            skipped=history.skipped,
            after_until=history.after_until,
            first_ts=history.first_ts,
            last_ts=history.last_ts,
            until=history.until,
        )

    def __post_init__(self) -> None:
        """Raise ValueError for a path: where a file lay differs from machine to machine."""
        for name in self.files:
            if PurePath(name).name != name:
                raise ValueError(f"{name!r} is a path: a report names files without their folders")


class LifecycleLimits(Struct, kw_only=True, frozen=True):
    """After how long without activity a user is silent, and lost."""

    silent: Span
    lost: Span

    @classmethod
    def of(cls, silent_ms: Millis, lost_ms: Millis) -> "LifecycleLimits":
        """The limits as they are written.

        >>> LifecycleLimits.of(2_592_000_000, 5_184_000_000)
        LifecycleLimits(silent='30d', lost='60d')
        """
        return cls(silent=format_span(silent_ms), lost=format_span(lost_ms))


class Limits(Struct, kw_only=True, frozen=True):
    """The settings that decide what is said."""

    lifecycles: dict[TagName, LifecycleLimits]
    allowed_lateness: Span
    max_ahead: Span


class Counts(Struct, kw_only=True, frozen=True):
    """What became of the events."""

    applied: Count
    duplicates: Annotated[Count, Meta(description="copies of events seen before, ignored")]
    late: Annotated[Count, Meta(description="out of order within allowed_lateness; applied as if in time")]
    too_late: Annotated[Count, Meta(description="later than allowed_lateness; they change no lifecycle")]
    erased: Annotated[Count, Meta(description="arrived after the erasure of their user, ignored")]


class StateCounts(Struct, kw_only=True, frozen=True):
    """Users in each state."""

    unactivated: Count
    active: Count
    silent: Count
    lost: Count

    @property
    def total(self) -> int:
        """Users in any state."""
        return sum(astuple(self))


class Flow(Struct, kw_only=True, frozen=True):
    """How often users moved from one state to another; None: not known before, or erased after."""

    from_: State | None = field(name="from")
    to: State | None
    count: Count


class ByDay(Struct, kw_only=True, frozen=True):
    """Users in each state at the end of each UTC day, without a gap; the last day may be one that `until` cuts off."""

    days: list[date]
    unactivated: list[Count]
    active: list[Count]
    silent: list[Count]
    lost: list[Count]


class Lifecycle(Struct, kw_only=True, frozen=True):
    """Where the users of one lifecycle are, and how they came there."""

    states: StateCounts
    flows: list[Flow]
    by_day: ByDay
    withdrawn: Annotated[Count, Meta(description="changes taken back because of late events")]

    @classmethod
    def of(cls, population: Population, tag: TagName, until: Millis) -> "Lifecycle":
        """One lifecycle as the changes tell it, by day up to the UTC day of `until`."""
        days, users = population.by_day(tag, until)
        flows = population.flows(tag).items()
        return cls(
            states=StateCounts(**population.states(tag)),
            flows=[Flow(from_=before, to=after, count=count) for (before, after), count in flows],
            by_day=ByDay(days=days, **users),
            withdrawn=population.withdrawn(tag),
        )


class ValueUsers(Struct, kw_only=True, frozen=True):
    """Users who have a value of a tag."""

    value: Annotated[Scalar, Meta(description="null: any value, where there are too many to tell them apart")]
    users: Count
    by_day: Annotated[list[Count], Meta(description="at the end of each of the tag's days")]


class Tag(Struct, kw_only=True, frozen=True):
    """How many users have a tag, and which value of it."""

    doc: Annotated[str, Meta(description="what it means, by its rule")]
    users: Annotated[Count, Meta(description="who have any value, at the end")]
    changes: Annotated[Count, Meta(description="that stand")]
    withdrawn: Annotated[Count, Meta(description="changes taken back because of late events")]
    days: Annotated[list[date], Meta(description="UTC, without a gap, from the first change on")]
    values: Annotated[list[ValueUsers], Meta(description="numbers by size, then all else, what most users have first")]

    @classmethod
    def of(cls, moves: TagMoves, doc: str, until: Millis) -> "Tag":
        """One tag as its changes tell it, by day up to the UTC day of `until`."""
        users, days = moves.users(), moves.days(until)
        keys = in_order(users)
        counts = zip(keys, moves.by_day(keys, days), strict=True)
        return cls(
            doc=doc,
            users=sum(users.values()),
            changes=moves.changes,
            withdrawn=moves.withdrawn,
            days=dates(days),
            values=[ValueUsers(value=value_of(key), users=users[key], by_day=by_day) for key, by_day in counts],
        )


class Report(Struct, kw_only=True, frozen=True):
    """Everything that report.json and report.html tell."""

    version: Annotated[str, Meta(description="of Rekindle")]
    history: History
    limits: Limits
    counts: Counts
    dead_letters: dict[DeadReason, Count]
    users: Annotated[Count, Meta(description="users known at the end; erased ones are not")]
    lifecycles: dict[TagName, Lifecycle]
    tags: Annotated[
        dict[TagName, Tag], Meta(description="of all other tags; of those that no rule gives, the first hundred")
    ] = {}
    churn: Annotated[Churn | None, Meta(description="who is about to leave; null where nothing was predicted")] = None
    policies: Annotated[Policies | None, Meta(description="how channels could be chosen; null if not asked for")] = None
    campaigns: Annotated[
        CampaignResults | None, Meta(description="what campaigns would have done; null where there are none")
    ] = None
