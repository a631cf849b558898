"""GET /api/ledger: what campaigns decided and brought, as `rekindle ledger --json` tells it."""

from msgspec import UNSET, Struct, UnsetType

from app.api.route import Asked
from app.ledger_rows import By, LedgerRow, rows


class LedgerQuery(Struct, kw_only=True, frozen=True):
    """`by`: a row for each of these of a campaign; `campaign`: only this one."""

    by: By | UnsetType = UNSET
    campaign: str | UnsetType = UNSET


class Ledger(Struct, kw_only=True, frozen=True):
    """A row a campaign, or its part, over all days. `store`: whether Redis answers; without it, of one worker alone."""

    rows: list[LedgerRow]
    store: bool


async def get_ledger(asked: Asked) -> Ledger:
    """The ledger of all partitions, as the workers last told it."""
    query: LedgerQuery = asked.query
    summary = await asked.sources.summary()
    found = rows(summary.ledger, query.by or None)
    if query.campaign is not UNSET:
        found = [row for row in found if row.campaign == query.campaign]
    return Ledger(rows=found, store=summary.store)
