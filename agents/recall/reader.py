"""Reads what campaigns and [recall] have in common: spans, money, caps, hours; and gathers what is wrong."""

import re
from datetime import datetime
from typing import Final
from zoneinfo import available_timezones

from msgspec import UNSET, UnsetType

from agents.recall.campaign import Cap, Quiet
from agents.rules.mistake import KeyPath, Mistake, nearest
from agents.rules.zones import zone
from schemas.campaigns import LONGEST_CAP, CapTable
from schemas.money import Minor, to_minor
from schemas.times import Millis, parse_span, to_millis

_TIME: Final = re.compile(r"([0-9]{2}):([0-9]{2})")
_PLACES: Final = 2


class Reader:
    """What is wrong is told in `mistakes`; what is given back then is of no account."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def wrong(self, path: KeyPath, text: str, near: str | None = None, *, at_key: bool = False) -> None:
        """Something is wrong there."""
        self.mistakes.append(Mistake(path, text, near, at_key=at_key))

    def span(self, text: str, path: KeyPath, longest: str) -> Millis:
        """A length of time that is not longer than another."""
        if parse_span(text) > parse_span(longest):
            self.wrong(path, f"`{path[-1]}` must be at most {longest}, not {text!r}")
        return parse_span(text)

    def money(self, amount: float, path: KeyPath) -> Minor:
        """Money in minor units, which must hold it exactly."""
        if round(amount, _PLACES) != amount:
            self.wrong(path, f"`{path[-1]}` has two places at most, and {amount:g} has more")
        return to_minor(amount)

    def cap(self, table: CapTable | UnsetType, path: KeyPath) -> Cap | None:
        """A cap, if there is one."""
        if table is UNSET:
            return None
        return Cap(table.max, self.span(table.per, (*path, "per"), LONGEST_CAP))

    def quiet(self, text: str, path: KeyPath) -> Quiet | None:
        """Quiet hours; None: there are none."""
        times = [int(hour) * 60 + int(minute) for hour, minute in _TIME.findall(text)]
        if not times:
            return None
        start, end = times
        if start == end:
            self.wrong(path, '`quiet_hours` begin and end at the same minute: write "none" if there are none')
        return Quiet(start, end)

    def instant(self, moment: datetime, path: KeyPath) -> Millis:
        """An instant that events can have."""
        try:
            return to_millis(moment.isoformat())
        except ValueError:
            self.wrong(path, f"`{path[-1]}` must lie between 1970 and 2100, not in {moment.year}")
            return 0

    def timezone(self, name: str, path: KeyPath) -> str:
        """The name of a time zone."""
        if zone(name) is None:
            text = f"there is no time zone {name!r}: write a name such as Europe/Berlin, or an offset such as +05:30"
            self.wrong(path, text, nearest(name, available_timezones()))
        return name
