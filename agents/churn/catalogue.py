"""The catalogue of features: name, meaning and unit of each, and how it changes by the mere passing of time."""

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple, TypeAlias

from xxhash import xxh3_64_hexdigest

Ageing: TypeAlias = Literal["fixed", "clock", "elapsed", "overdue", "outwaited", "decayed"]


class Feature(NamedTuple):
    """One feature: its name, what it means, its unit, and how it changes while nothing happens.

    `fixed`: not at all; `clock`: it is a number of days; `elapsed`: the ln of one; `overdue`, `outwaited`: as recency
    grows; `decayed`: ln(floor + a sum that decays by 1/e in `decay_days`).
    """

    name: str
    doc: str
    unit: str
    ageing: Ageing = "fixed"
    decay_days: int = 0
    floor: float = 0.0


DAYS_FLOOR: Final = 0.001
"""What ln(days) starts from, so that there is one of 0."""
SPREAD_FLOOR: Final = 0.3
"""No user is taken to keep to a rhythm more exactly, in ln(days)."""
GAPS: Final = 12
SEASON_DAYS: Final = 60
_LN_DAYS: Final = "ln(1 + days)"
_LN_COUNT: Final = "ln(1 + n)"
_LN_MONEY: Final = "ln(1 + currency units)"
DAY_TAUS: Final = (10, 30, 90, 270)
PANE_TAUS: Final = (10, 40)


def _decayed(what: str, name: str, taus: Iterable[int], floor: float) -> tuple[Feature, ...]:
    return tuple(
        Feature(
            f"{name}_{tau}",
            f"{what}, each counting 1/e less every {tau} days",
            f"ln({floor} + n)",
            "decayed",
            tau,
            floor,
        )
        for tau in taus
    )


FEATURES: Final[tuple[Feature, ...]] = (
    Feature("repeat_days", "days with activity after the first one (x of BG/NBD)", "days"),
    Feature("last_day", "from the first activity to the last (t_x of BG/NBD)", "days"),
    Feature("age_days", "since the first activity (T of BG/NBD)", "days", "clock"),
    Feature("recency", "since the last activity", _LN_DAYS, "elapsed"),
    Feature("age", "since the first activity", _LN_DAYS, "elapsed"),
    Feature("frequency", "days with activity after the first one", _LN_COUNT),
    Feature("gap_mean", "between days with activity, on average (0: there was one day only)", _LN_DAYS),
    Feature("gap_recent", f"the same of the last {GAPS} gaps, newer ones weighing more", _LN_DAYS),
    Feature("gap_spread", "standard deviation of ln(1 + days) of those gaps", "ln"),
    Feature("gap_last", "the newest gap", _LN_DAYS),
    Feature("gap_longest", "the longest of the last gaps", _LN_DAYS),
    Feature("overdue", "recency against the recent gaps", "ln ratio", "overdue"),
    Feature("outwaited", "the same in standard deviations of the gaps", "deviations", "outwaited"),
    Feature("order_recency", "since the last order (never: since the first activity)", _LN_DAYS, "elapsed"),
    Feature("order_days", "days with an order", _LN_COUNT),
    Feature("orders", "purchases", _LN_COUNT),
    *_decayed("days with activity", "days", DAY_TAUS, DAYS_FLOOR),
    *_decayed("clicks", "clicks", PANE_TAUS, 1.0),
    *_decayed("cart events", "carts", PANE_TAUS[1:], 1.0),
    *_decayed("purchases", "orders", PANE_TAUS[1:], 1.0),
    *_decayed("spend", "spend", PANE_TAUS[1:], 1.0),
    Feature("spend", "spend ever, returns taken off", _LN_MONEY),
    Feature("basket", "spend a purchase", _LN_MONEY),
    Feature("basket_last", "the newest purchase", _LN_MONEY),
    Feature("max_order", "the greatest purchase", _LN_MONEY),
    Feature("returns", "returns", _LN_COUNT),
    Feature("clicks", "clicks ever", _LN_COUNT),
    Feature("clicks_per_order", "clicks for each purchase", "ln ratio"),
    Feature("cart_open", "whether something was put into the cart since the last checkout and order", "0 or 1"),
    Feature("cart_recency", "since the last cart event (never: since the first activity)", _LN_DAYS, "elapsed"),
    Feature("weekend", "share of the known days with activity that were a Saturday or Sunday", "share"),
    Feature("last_year", f"days with activity in the {SEASON_DAYS} days after the same day a year ago", _LN_COUNT),
    Feature("channels", "channels that activities came by, as far as they tell (at most 8)", _LN_COUNT),
    Feature("channel_main", "share of the channel with the most of them (1: none tells its channel)", "share"),
    Feature("morning", "share of the activities from 6 to 12 h UTC", "share"),
    Feature("afternoon", "the same from 12 to 18 h", "share"),
    Feature("evening", "the same from 18 to 24 h", "share"),
    Feature("hours_main", "share of the quarter of the UTC day with the most activities", "share"),
)
NAMES: Final = tuple(feature.name for feature in FEATURES)
PLACE: Final = {name: place for place, name in enumerate(NAMES)}
"""Where each feature stands."""
FINGERPRINT: Final = xxh3_64_hexdigest("\n".join(NAMES).encode())
"""By which examples and models of other features are known: a feature that comes to mean something else needs another
name."""
