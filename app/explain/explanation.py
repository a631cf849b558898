"""An explanation as data: what `rekindle explain --json` prints. Times are in ms, money is decimal."""

from msgspec import Struct

from schemas.changes import TagName
from schemas.events import Scalar, UserId
from schemas.rules import TagKind
from schemas.times import Millis


class Lifecycle(Struct, kw_only=True, frozen=True):
    """One of the two lifecycles; `silent_after`, `lost_after` are its limits."""

    name: TagName
    value: str | None
    since: Millis | None
    changes_at: Millis | None


class Profile(Struct, kw_only=True, frozen=True):
    """Who this is, in numbers over the whole life; `erased_at`: all before it is forgotten."""

    first_activity: Millis | None
    last_activity: Millis | None
    clicks: int
    carts: int
    orders: int
    returns: int
    spend: float
    max_order: float
    erased_at: Millis | None
    lifecycles: list[Lifecycle]


class RuleText(Struct, kw_only=True, frozen=True):
    """A rule: its documentation, and its text in lines."""

    version: int
    doc: str
    kind: TagKind
    text: list[str]


class Number(Struct, kw_only=True, frozen=True):
    """Something that the rule saw, as it is and in words."""

    value: Scalar
    words: str


class Event(Struct, kw_only=True, frozen=True):
    """An event, and what happened in words."""

    at: Millis
    type: str
    event_id: str
    words: str


class Tag(Struct, kw_only=True, frozen=True):
    """A tag: its value, since when, and why.

    - `by_hand`: whether it was set by hand; `rule_says`: what its rule says, then or now
    - `ends_at`: when its time to live is over; `ended`: the value whose time to live is over already
    - `because`: what brought the value, in words, and `cause` as the change has it; null where nobody knows any more
    - `looks_again_at`: when the rule is looked at next, if nothing happens
    - `notes`: what else has to be said
    """

    name: TagName
    value: Scalar
    by_hand: bool
    since: Millis | None
    because: str | None
    cause: str | None
    ends_at: Millis | None
    ended: Scalar
    rule: RuleText | None
    rule_says: Scalar
    saw: list[Number]
    looks_again_at: Millis | None
    events: list[Event]
    more_events: int
    notes: list[str]


class Reason(Struct, kw_only=True, frozen=True):
    """What something adds to the log-odds of staying away, against the average user."""

    topic: str
    contribution: float


class Outlook(Struct, kw_only=True, frozen=True):
    """P(no activity within the horizon), by the models that are in force; the weightiest reasons first."""

    p_inactive: float
    horizon_ms: Millis
    model: str
    model_version: str
    reasons: list[Reason]


class Valueless(Struct, kw_only=True, frozen=True):
    """A tag without a value; `ended`: the value that it had until its time to live was over."""

    name: TagName
    ended: Scalar


class Explanation(Struct, kw_only=True, frozen=True):
    """One user as of a moment; `valueless`: the tags that have no value (with --all they are among `tags`)."""

    user_id: UserId
    as_of: Millis
    where: str
    rules_version: int
    notes: list[str]
    profile: Profile
    tags: list[Tag]
    valueless: list[Valueless]
    outlook: Outlook | None = None
