"""A campaign: on which change, to whom, on which channels, and within which limits; compiled from the rules file."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from schemas.changes import TagName
from schemas.events import RecallChannel, Scalar
from schemas.money import CENTS, Minor
from schemas.times import DAY_MS, Millis

if TYPE_CHECKING:
    from agents.rules.view import View

Audience: TypeAlias = "Callable[[View, Scalar], bool]"
"""Whether a user belongs to it, as of the view's instant; the second argument is of no account."""
Mode: TypeAlias = Literal["on", "shadow", "paused"]


class On(NamedTuple):
    """A change that starts a campaign: so long after the tag has come to a value (None: any value but null)."""

    tag: TagName
    to: Scalar = None
    after_ms: Millis = 0


class Cap(NamedTuple):
    """At most so many triggers a user within any span of that length."""

    most: int
    per_ms: Millis


class Quiet(NamedTuple):
    """Minutes of the local day from the first up to the second, exclusive; over midnight if the second is less."""

    start_minute: int
    end_minute: int


class Channel(NamedTuple):
    """A way to reach users: what a message costs, and how long after it activity counts as recalled."""

    name: RecallChannel
    cost: Minor = 0
    offer: str | None = None
    window_ms: Millis = DAY_MS


class Variant(NamedTuple):
    """A version of the message, given to its part of all weights."""

    name: str
    weight: int = 1
    offer: str | None = None


class Campaign(NamedTuple):
    """One campaign. `on`: None if it only runs when it is told to; `audience`: None if it is for everyone.

    `learned`: the channel is chosen by what it brings, a recall being worth `value`; else the channels are tried in
    their order. `falls_back`: a report `failed` leads to the next one. `expiry_ms` counts from the instant at which the
    trigger was due. Of several due at once in a slot the one with the greatest `priority` goes. `hold_out`: the share
    of the eligible who get nothing. `budget`: of a UTC day. `quiet` and `mute_before` are those of [recall] where the
    campaign states none; what was due before `mute_before` is not sent.
    """

    name: str
    channels: tuple[Channel, ...]
    version: int = 1
    doc: str = ""
    on: On | None = None
    audience: "Audience | None" = None
    tags_read: frozenset[TagName] = frozenset()
    learned: bool = False
    value: Minor = CENTS
    falls_back: bool = False
    variants: tuple[Variant, ...] = ()
    offer: str | None = None
    expiry_ms: Millis = 3 * DAY_MS
    priority: int = 0
    slot: str = "recall"
    hold_out: float = 0.0
    budget: Minor | None = None
    cap: Cap | None = None
    quiet: Quiet | None = None
    mode: Mode = "on"
    is_test: bool = False
    mute_before: Millis = 0
