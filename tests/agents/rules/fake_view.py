"""A view that answers from a table, and one in which only time passes."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from agents.rules.tastes import Lead
from schemas.times import NEVER, Millis

Asked: TypeAlias = tuple[Any, ...]
"""A method and its arguments: ("window", 2, "days", 30)."""

UNTOLD: Final[dict[str, Any]] = {
    **dict.fromkeys(("window", "total", "days_active", "purchase_days", "max_order", "returns", "done"), 0),
    **dict.fromkeys(("observed", "cart_items", "cart_value"), 0),
    "reachable": False,
    "acted": 1_000_000,
    **dict.fromkeys(
        ("instant", "since", "since_crosses", "mean_gap", "cycle", "cycle_crosses", "category_due", "return_rate")
    ),
    **dict.fromkeys(
        (
            "p_inactive",
            "p_female",
            "stated_gender",
            "share",
            "spend_share",
            "top",
            "top_share",
            "tag",
            "attr",
            "consent",
        )
    ),
    "lead": Lead(None, 0, 0, 0),
    **dict.fromkeys(("unit", "holds_for")),
    "weight": 0,
}
"""Every method of a view, and what it answers where a test tells nothing."""


class FakeView:
    """Answers what a test tells it to."""

    def __init__(self, answers: Mapping[Asked, Any] | None = None) -> None:
        self.answers = dict(answers or {})

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method not in UNTOLD:
            raise AttributeError(f"a view has no {method}")

        def answer(*arguments: Any, **named: Any) -> Any:
            name = method.removesuffix("_crosses")
            told = {"since": arguments[:2], "cycle": ()}.get(name, arguments)
            asked = (name, *told, *(part for pair in named.items() for part in pair))
            return self.answers.get(asked, UNTOLD[method])

        return answer


class Clock:
    """A view of a user of whom only some instants are known; learns when an answer may change."""

    def __init__(self, instants: Mapping[str, Millis | None], now: Millis) -> None:
        self._instants = instants
        self.now = now
        self.changes_at = NEVER

    def since(self, name: str, unit_ms: int) -> int | None:
        units = self._units(name, unit_ms)
        if units is not None:
            self._changes(name, unit_ms, units + 1)
        return units

    def since_crosses(self, name: str, unit_ms: int, *crossings: int) -> int | None:
        units = self._units(name, unit_ms)
        for crossing in crossings:
            if units is not None and units < crossing:
                self._changes(name, unit_ms, crossing)
        return units

    def _units(self, name: str, unit_ms: int) -> int | None:
        instant = self._instants.get(name)
        return None if instant is None else (self.now - instant) // unit_ms

    def _changes(self, name: str, unit_ms: int, units: int) -> None:
        instant = self._instants[name]
        assert instant is not None
        self.changes_at = min(self.changes_at, instant + units * unit_ms)
