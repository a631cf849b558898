"""Decisions about users, for tests of how channels are chosen."""

from typing import Any

from agents.recall.campaign import Campaign, Channel
from agents.recall.campaigns import Campaigns
from agents.recall.verdict import Case
from schemas.times import DAY_MS, Millis
from tables.recalls import Due, Recalls
from tables.row import Row

AT: Millis = 20_000 * DAY_MS
PUSH, SMS, EMAIL = Channel("push"), Channel("sms"), Channel("email")


def case(user_id: str = "u", at: Millis = AT, row: Row | None = None, timezone: str = "UTC") -> Case:
    """A decision at a time; what rules may ask of the user is never asked here."""
    campaign = Campaign("silent", (PUSH, SMS, EMAIL), learned=True)
    campaigns = Campaigns((campaign,), timezone=timezone)
    no_view: Any = None
    return Case(row or Row(), user_id, Due(at, "silent", "c", at), campaign, campaigns, no_view, Recalls(), None)
