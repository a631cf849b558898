"""The pictures of a comparison: users or triggers by day under the old rules, under the new ones, and under both."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final

import plotly.graph_objects as go

from app.charts import SHORT_DAYS, Figure, days_of, over_time, steps_for
from app.rules_diff.campaign_data import CampaignDiff
from app.rules_diff.data import TagDiff, ValueDiff

_HEIGHT: Final = 240


def step_days(tags: Iterable[TagDiff]) -> int:
    """How many days lie between two points of the plots of these tags, so that a page stays small."""
    return steps_for(sum(3 * len(tag.days) * len(tag.values) for tag in tags))


def plot_of_value(found: ValueDiff, days: Sequence[date], step: int) -> Figure:
    """Users with a value at the end of every so many UTC days, the last one among them."""
    return _three_lines(found, days, step)


def plot_of_triggers(found: CampaignDiff, days: Sequence[date]) -> Figure:
    """Triggers of a campaign on each UTC day; no day is left out, as what it counts is on no other."""
    return _three_lines(found, days, 1)


def _three_lines(found: ValueDiff | CampaignDiff, days: Sequence[date], step: int) -> Figure:
    both = _line("both", found.both_by_day, days, step, {"width": 0}) | {"fill": "tozeroy"}
    old = _line("old", found.old_by_day, days, step, {"width": 2, "dash": "dot"})
    new = _line("new", found.new_by_day, days, step, {"width": 2})
    most = max(found.old_by_day + found.new_by_day, default=0)
    return over_time([go.Scatter(**each) for each in (both, old, new)], most, _HEIGHT)


def _line(name: str, users: list[int], days: Sequence[date], step: int, line: dict[str, Any]) -> dict[str, Any]:
    mode = "lines+markers" if len(days) <= SHORT_DAYS else "lines"
    trace = {"name": name, "meta": f"rules-{name}", "mode": mode, "line": line, "hovertemplate": "%{y:,d}"}
    return trace | days_of(days, users, step)
