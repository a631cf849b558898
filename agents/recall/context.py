"""The context of a choice: what is known of a user, as a few numbers of about the same size."""

from math import cos, log1p, pi, sin
from typing import Final

from agents.recall.verdict import Case
from agents.rules.zones import zone
from schemas.money import CENTS
from schemas.times import DAY_MS, Millis, to_datetime

_UNKNOWN: Final = 0.5
_DAY_HOURS: Final = 24


def context_of(case: Case) -> dict[str, float]:
    """By name: `p_inactive` (0.5: no score), `hour_cos` and `hour_sin` on the user's clock; the others are logarithms.

    `recency` and `age`: ln(1 + days) since the last and the first activity; `orders`: ln(1 + purchases); `spend`:
    ln(1 + currency units).
    """
    row, at = case.row, case.at
    turn = _hour(case) / _DAY_HOURS * 2 * pi
    return {
        "p_inactive": _UNKNOWN if row.score is None else row.score.p_inactive,
        "recency": _log_days(at - row.lifecycle.last),
        "age": 0.0 if row.first is None else _log_days(at - row.first.ts),
        "orders": log1p(max(row.totals.orders, 0)),
        "spend": log1p(max(row.totals.spend, 0) / CENTS),
        "hour_cos": cos(turn),
        "hour_sin": sin(turn),
    }


def _log_days(span_ms: Millis) -> float:
    return log1p(max(span_ms, 0) / DAY_MS)


def _hour(case: Case) -> int:
    return to_datetime(case.at).astimezone(zone(case.timezone)).hour
