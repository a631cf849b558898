"""Parts of a user's row as the API shows them."""

from typing import Any, Final

from msgspec import Struct

from agents.rules.tastes import Tastes
from agents.rules.view import View
from agents.rules.windows import ORDERS, SPEND
from agents.rules.zones import hours_ahead
from schemas.changes import change_id
from schemas.events import Scalar, UserId
from schemas.times import NEVER, Millis
from tables import recalls
from tables.dimensions import DIMENSIONS
from tables.recalls import HELD, Due, Sent
from tables.row import Register, Row
from tables.score import Score

WINDOWS: Final = ({"hours": 24}, {"days": 7}, {"days": 30}, {"days": 60})
PREFERENCES: Final = 5
"""Values of a dimension that are shown."""
_CLICKS, _CARTS = 0, 1
_MARKS: Final = {
    recalls.DELIVERED: "delivered",
    recalls.OPENED: "opened",
    recalls.CLICKED: "clicked",
    recalls.FAILED: "failed",
    recalls.UNSUBSCRIBED: "unsubscribed",
    recalls.RECALLED: "recalled",
    recalls.BACK: "stayed",
    recalls.GONE: "lost again",
    recalls.CANCELLED: "cancelled",
}


class WindowShown(Struct, kw_only=True, frozen=True):
    """What was done in the hour or UTC day of `as_of` and those before it, so many `hours` or `days` in all."""

    hours: int = 0
    days: int = 0
    clicks: float
    carts: float
    orders: float
    spend: float


class Preference(Struct, frozen=True):
    """A value, its share of the actions and of the spend (null: there is none), the newer ones weighing more."""

    value: str
    share: float
    spend_share: float | None


class Asset(Struct, frozen=True):
    """The newest word on something, and when it was said (event time)."""

    value: Scalar | list[str]
    at: Millis


class ScoreShown(Struct, frozen=True):
    """P(no activity within the horizon) as of an instant, and the model, of a version, that says so."""

    p_inactive: float
    as_of: Millis
    horizon_ms: Millis
    model: str
    model_version: str


class RecallShown(Struct, kw_only=True, frozen=True):
    """A trigger, or a decision that is due `at` a time (without `id`, `channel` and what came of it).

    - `held_out`: nothing was triggered: the user is compared with
    - `marks`: what came of it: sent, delivered, opened, clicked, failed, unsubscribed, recalled, stayed, lost again,
      cancelled
    """

    id: str | None = None
    campaign: str
    variant: str | None = None
    channel: str | None = None
    at: Millis
    expires_at: Millis | None = None
    cause: str
    held_out: bool = False
    marks: list[str] = []


def parts_of(row: Row, user_id: UserId, as_of: Millis) -> dict[str, Any]:
    """The parts by name."""
    return {
        "windows": [_window(View(row, as_of), **span) for span in WINDOWS],
        "preferences": _preferences(row, as_of),
        "attributes": {name: _asset(word) for name, word in sorted(row.attributes.items())},
        "consent": {name: _asset(word) for name, word in sorted(row.consent.items())},
        "reachable": None if row.reachable is None else _asset(row.reachable),
        "registered_at": row.registered_at,
        "messages": row.messages,
        "score": None if row.score is None else _score(row.score),
        "due": [_due(each) for each in sorted(row.recalls.due, key=lambda each: each.at)],
        "recalls": [_sent(each, user_id) for each in reversed(row.recalls.sent)],
    }


def _window(view: View, **span: int) -> WindowShown:
    clicks, carts, orders, spend = (view.window(field, **span) for field in (_CLICKS, _CARTS, ORDERS, SPEND))
    return WindowShown(clicks=clicks, carts=carts, orders=orders, spend=spend, **span)


def _preferences(row: Row, as_of: Millis) -> dict[str, list[Preference]]:
    zone = row.attributes.get("timezone")
    tastes = Tastes(row.portraits.before(NEVER), hours_ahead(None if zone is None else zone.value, as_of))
    found = {dimension: tastes.all(dimension)[:PREFERENCES] for dimension in DIMENSIONS}
    return {dimension: [Preference(*each) for each in values] for dimension, values in found.items() if values}


def _asset(word: Register) -> Asset:
    return Asset(word.value, word.ts)


def _score(score: Score) -> ScoreShown:
    return ScoreShown(score.p_inactive, score.as_of, score.horizon_ms, score.model, score.version)


def _due(due: Due) -> RecallShown:
    return RecallShown(campaign=due.campaign, at=due.at, cause=due.cause)


def _sent(sent: Sent, user_id: UserId) -> RecallShown:
    is_held = bool(sent.marks & HELD)
    marks = [name for mark, name in _MARKS.items() if sent.marks & mark]
    return RecallShown(
        id=change_id(user_id, sent.campaign, sent.at, sent.sequence),
        campaign=sent.campaign,
        variant=sent.variant,
        channel=sent.channel,
        at=sent.at,
        expires_at=sent.expires_at,
        cause=sent.cause,
        held_out=is_held,
        marks=["sent", *marks] if sent.marks & recalls.SENT else marks,
    )
