"""The plots of the report as plotly figures; they name states, and the page gives each state its colour.

So light and dark differ in the page's style sheet alone: `meta` of a trace and `customdata` of a node name a colour.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from math import ceil
from typing import Any, Final, TypeAlias

import plotly.graph_objects as go

from app.population import STATES, State
from app.report_data import ByDay, Flow, Tag
from app.wording import number, value
from schemas.times import DAY_MS

Figure: TypeAlias = dict[str, Any]
"""JSON for plotly.js: `data` and `layout`."""

SHORT_DAYS: Final = 14
"""Up to so many days are bars: an area needs a width to be seen."""
MAX_NUMBERS: Final = 60_000
"""So many numbers a page holds in the plots of tags: about 300 KB."""
FONT: Final = {"family": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"}
_FEW_USERS: Final = 5
_LEFT, _RIGHT = 0.001, 0.999  # plotly ignores positions of exactly 0 and 1
_GAP: Final = 0.06
"""Between the nodes of a column, as a part of the height."""
_HEIGHT_OVER_TIME: Final = 380
_HEIGHT, _NODE_HEIGHT = 40, 75


def shown_states(by_day: ByDay) -> list[State]:
    """The states to show, in display order: unactivated only where somebody ever was."""
    return [state for state in STATES if state != "unactivated" or any(by_day.unactivated)]


def states_over_time(by_day: ByDay) -> Figure:
    """Users by state at the end of each UTC day, stacked."""
    kind = _bars if len(by_day.days) <= SHORT_DAYS else _area
    days = [day.isoformat() for day in by_day.days]
    users = {state: getattr(by_day, state) for state in shown_states(by_day)}
    most = max((sum(counts) for counts in zip(*users.values(), strict=True)), default=0)
    traces = [kind(_trace(state.capitalize(), state) | {"x": days, "y": counts}) for state, counts in users.items()]
    return over_time(traces, most)


def step_days(tags: Iterable[Tag]) -> int:
    """How many days lie between two points of the plots of these tags."""
    return steps_for(sum(len(tag.days) * len(tag.values) for tag in tags))


def steps_for(numbers: int) -> int:
    """Of so many days one is shown, so that the numbers of a page stay few."""
    return max(1, ceil(numbers / MAX_NUMBERS))


def days_of(days: Sequence[date], users: Sequence[int], step: int) -> dict[str, Any]:
    """Users at the end of every so many of the UTC days, the last one among them: a part of a trace."""
    if not days:
        return {"x": [], "y": []}
    first = (len(days) - 1) % step
    return {"x0": days[first].isoformat(), "dx": step * DAY_MS, "y": users[first::step]}


def values_over_time(tag: Tag, step: int) -> Figure:
    """Users by value of a tag at the end of every so many UTC days, stacked."""
    kind = _bars if len(tag.days) <= SHORT_DAYS else _area
    traces = [
        kind(_trace(value(each.value), f"value-{place}") | days_of(tag.days, each.by_day, step))
        for place, each in enumerate(tag.values, start=1)
    ]
    most = max((sum(users) for users in zip(*(each.by_day for each in tag.values), strict=True)), default=0)
    return over_time(traces, most)


def over_time(traces: Sequence[Any], most: int, height: int = _HEIGHT_OVER_TIME) -> Figure:
    """Users over time. `most`: at any time."""
    figure = go.Figure(traces)
    figure.update_layout(
        template="none",
        barmode="stack",
        bargap=0.25,
        font=FONT,
        height=height,
        hovermode="x unified",
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
        margin={"l": 52, "r": 16, "t": 40, "b": 40},
        xaxis={"type": "date", "hoverformat": "%Y-%m-%d", "showgrid": False},
        yaxis={"tickformat": ",d", "rangemode": "tozero", "zeroline": False, **_whole_steps(most)},
    )
    return _json(figure)


def flows_between_states(flows: Sequence[Flow]) -> Figure:
    """Moves between states: left where users came from, right where they went."""
    left = _column((None, *STATES), ((flow.from_, flow.count) for flow in flows))
    right = _column((*STATES, None), ((flow.to, flow.count) for flow in flows))
    figure = go.Figure(
        go.Sankey(
            arrangement="fixed",
            node=_nodes(left, right),
            link={
                "source": [list(left).index(flow.from_) for flow in flows],
                "target": [len(left) + list(right).index(flow.to) for flow in flows],
                "value": [flow.count for flow in flows],
                "hovertemplate": "%{source.customdata} → %{target.customdata}: %{value:,d}<extra></extra>",
            },
        )
    )
    figure.update_layout(
        template="none",
        font=FONT,
        height=_HEIGHT + _NODE_HEIGHT * max(len(left), len(right)),
        margin={"l": 8, "r": 8, "t": 16, "b": 16},
    )
    return _json(figure)


def _whole_steps(most: int) -> dict[str, int]:
    """No lines between whole users, where there are few."""
    return {"dtick": 1} if most <= _FEW_USERS else {}


def _area(trace: dict[str, Any]) -> Any:
    return go.Scatter(**trace, mode="lines", stackgroup="users", line={"width": 1})


def _bars(trace: dict[str, Any]) -> Any:
    return go.Bar(**trace)


def _trace(name: str, colour: str) -> dict[str, Any]:
    return {"name": name, "meta": colour, "hovertemplate": "%{y:,d}"}


def _column(order: Sequence[State | None], ends: Iterable[tuple[State | None, int]]) -> dict[State | None, int]:
    """Moves by state, in the given order."""
    totals: dict[State | None, int] = dict.fromkeys(order, 0)
    for state, count in ends:
        totals[state] += count
    return {state: count for state, count in totals.items() if count}


def _nodes(left: dict[State | None, int], right: dict[State | None, int]) -> dict[str, Any]:
    names = [state or "new" for state in left] + [state or "erased" for state in right]
    counts = [*left.values(), *right.values()]
    return {
        "label": [f"{name.capitalize()} {number(count)}" for name, count in zip(names, counts, strict=True)],
        "customdata": names,
        "x": [_LEFT] * len(left) + [_RIGHT] * len(right),
        "y": _heights(left.values()) + _heights(right.values()),
        "pad": 18,
        "thickness": 14,
        "line": {"width": 0},
        "hovertemplate": "%{label}<extra></extra>",
    }


def _heights(counts: Iterable[int]) -> list[float]:
    """The middle of each node, from the top: plotly keeps an order only where it is told the places."""
    sizes = list(counts)
    unit = (1 - _GAP * (len(sizes) - 1)) / max(sum(sizes), 1)
    tops = [sum(sizes[:place]) * unit + place * _GAP for place in range(len(sizes))]
    return [top + size * unit / 2 for top, size in zip(tops, sizes, strict=True)]


def _json(figure: Any) -> Figure:
    plain: Figure = figure.to_plotly_json()
    return plain
