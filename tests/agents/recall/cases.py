"""A user before a campaign: a row that agreed to push and SMS, and can be reached by both, at noon of the first day."""

from typing import Any, Final

from agents.limits import DEFAULT_LIMITS
from agents.recall.campaign import Campaign, Channel, On
from agents.recall.campaigns import Campaigns
from agents.recall.verdict import Case
from agents.rules.view import View
from schemas.times import DAY_MS, HOUR_MS, Millis
from tables.lifecycle import SILENT, Lifecycle
from tables.recalls import Due, Recalls, Sent
from tables.row import Register, Row
from tests.agents.drive import START

NOON: Final[Millis] = START + 12 * HOUR_MS
PUSH: Final = Channel("push", 1)
SMS: Final = Channel("sms", 5)
GIFT: Final = Channel("gift", 100)
ON: Final = On("mood", "low")


def campaign(name: str = "c", *channels: Channel, **fields: Any) -> Campaign:
    return Campaign(name, channels or (PUSH, SMS), **{"on": ON, **fields})


def row() -> Row:
    agreed = {channel: Register(value=True, ts=1, event_id="c") for channel in ("push", "sms")}
    return Row(consent=agreed, reachable=Register(["push", "sms"], 1, "c"), lifecycle=Lifecycle(state=SILENT))


def case(of: Campaign, *sent: Sent, at: Millis = NOON, **fields: Any) -> Case:
    """The case of user `u`, whose tag `mood` is `low`. Fields are those of a case, and `due`, `cause`, `failed`."""
    due = Due(at, of.name, fields.pop("cause", "u/mood/1/1"), fields.pop("due", at), fields.pop("failed", ""))
    known = fields.pop("row", None) or row()
    tags = fields.pop("tags", {"mood": "low"})
    given = {
        "campaigns": Campaigns((of,)), "view": View(known, at, tags=tags), "recalls": Recalls([], list(sent)),
        "left": None,
    }  # fmt: skip
    return Case(known, "u", due, of, **{**given, **fields})


def shot(at: Millis, name: str = "c", marks: int = 0, sequence: int = 1) -> Sent:
    return Sent(sequence, name, None, "push", at, at + 3 * DAY_MS, at + DAY_MS, "u/mood/1/1", 1, marks)


LIMITS: Final = DEFAULT_LIMITS
