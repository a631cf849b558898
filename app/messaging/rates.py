"""How often simulated messages fail, are opened, and so on, by channel. All of them are made up."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias, get_args

from schemas.events import RecallChannel
from schemas.times import HOUR_MS, MINUTE_MS, Millis


class Rates(NamedTuple):
    """How often it happens, as shares of what came before it.

    `failed` of triggers, `delivered` of what was sent, `opened` and `unsubscribed` of what was delivered, `clicked` of
    what was opened. `opens_after_ms`: after how long, on average.
    """

    failed: float
    delivered: float
    opened: float
    clicked: float
    unsubscribed: float
    opens_after_ms: Millis


ByChannel: TypeAlias = Mapping[RecallChannel, Rates]

DEFAULT_RATES: Final[ByChannel] = {
    "sms": Rates(0.02, 0.97, 0.6, 0.08, 0.004, 20 * MINUTE_MS),
    "email": Rates(0.01, 0.97, 0.25, 0.12, 0.003, 6 * HOUR_MS),
    "push": Rates(0.05, 0.9, 0.08, 0.4, 0.005, 2 * HOUR_MS),
    "wechat": Rates(0.02, 0.97, 0.35, 0.15, 0.004, 2 * HOUR_MS),
    "phone": Rates(0.35, 1.0, 0.9, 0.1, 0.02, MINUTE_MS),
    "gift": Rates(0.0, 1.0, 0.3, 0.5, 0.0, 24 * HOUR_MS),
    "coupon": Rates(0.0, 1.0, 0.3, 0.3, 0.0, 24 * HOUR_MS),
    "event": Rates(0.0, 1.0, 0.2, 0.3, 0.0, 24 * HOUR_MS),
}

_SHARES: Final = Rates._fields[:-1]


def with_rates(given: Iterable[str], rates: ByChannel = DEFAULT_RATES) -> ByChannel:
    """The rates, with some of them replaced. Raises ValueError for what is none.

    >>> with_rates(["email.opened=0.5"])["email"].opened
    0.5
    """
    found = dict(rates)
    for text in given:
        name, _, share = text.partition("=")
        channel, _, what = name.partition(".")
        number = _share(share)
        if channel not in found or what not in _SHARES or number is None:
            raise ValueError(
                f"{text!r} is no rate: write email.opened=0.4, a channel ({', '.join(get_args(RecallChannel))}), what"
                f" happens ({', '.join(_SHARES)}) and a share from 0 to 1"
            )
        pairs = zip(Rates._fields, found[channel], strict=True)
        found[channel] = Rates._make(number if name == what else old for name, old in pairs)
    return found


def _share(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number <= 1 else None
