"""The plots of who is about to leave; like those of `app.charts` they name colours by `meta`, and the page has them."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import plotly.graph_objects as go

from app.charts import FONT, Figure, steps_for
from app.churn_data import Churn, Instant, Model
from app.churn_wording import model
from schemas.times import to_datetime

BASELINE: Final = "recency"
TABLE_ROWS: Final = 31
Row: TypeAlias = tuple[Instant, float | None, float | None]
"""An instant with the champion's AUC and log loss."""
_ByInstant: TypeAlias = Callable[[Model], Sequence[float | None]]
_HEIGHT: Final = 320
_SQUARE_HEIGHT: Final = 400
_BAR_HEIGHT: Final = 34
_TO_THE_MINUTE: Final = 16
_PERCENT: Final = {"range": [-0.02, 1.02], "tickformat": ".0%", "zeroline": False}


def shown_instants(churn: Churn) -> list[Row]:
    """The instants that stand for all in a table: up to 31, or else the last one of each month."""
    rows = _rows(churn)
    months = {_at(row[0])[: len("2011-12")]: row for row in rows}
    return rows if len(rows) <= TABLE_ROWS else list(months.values())


def auc_over_time(churn: Churn) -> Figure:
    """AUC at each instant, of the champion and of all models."""
    return _over_time(churn, lambda each: each.auc, [])


def log_loss_over_time(churn: Churn) -> Figure:
    """Log loss at each instant, of the champion and of all models; and where it had drifted."""
    known = {instant.as_of: loss for instant, _, loss in _rows(churn) if instant.as_of in churn.drifts}
    drift = {
        "x": [_time(as_of) for as_of in known],
        "y": list(known.values()),
        "mode": "markers",
        "marker": {"size": 13, "symbol": "diamond"},
    }
    found = [_trace("Drift", "drift", "Drift<br>%{x|%Y-%m-%d}") | drift]
    return _over_time(churn, lambda each: each.log_loss, found if known else [])


def calibration(churn: Churn) -> Figure:
    """The champion's scores against the shares that came true."""
    bins = churn.champion.calibration
    hover = "said %{x:.1%}, came true %{y:.1%}<br>%{customdata:,d} scores"
    points = {
        "x": [each.p_inactive for each in bins],
        "y": [each.share_inactive for each in bins],
        "customdata": [each.labelled for each in bins],
        "mode": "lines+markers",
        "marker": {"size": 8},
    }
    traces = [_diagonal("As said, so it came"), _trace("Champion", "champion", hover) | points]
    return _square(traces, "Score", "Stayed away")


def gains(churn: Churn) -> Figure:
    """Of all who stayed away, how many are among those with the highest scores."""
    baseline = [each for each in churn.models if each.name == BASELINE]
    best = [(each.share, each.best) for each in churn.champion.gains]
    traces = [
        _diagonal("By chance"),
        _curve("At best", "reference", best) | {"line": {"width": 1, "dash": "dash"}},
        *(_found(each, BASELINE) | {"line": {"width": 2, "dash": "dash"}} for each in baseline),
        _found(churn.champion, "champion") | {"line": {"width": 3}},
    ]
    return _square(traces, "Users taken, highest scores first", "Of those who stayed away")


def effects(churn: Churn) -> Figure:
    """How much each topic moves the scores, the strongest on top."""
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": [each.effect for each in churn.effects],
        "y": [each.topic for each in churn.effects],
    }
    return _figure(
        [_trace("Effect", "champion", "%{y}: %{x:.2f}") | bars],
        height=100 + _BAR_HEIGHT * len(churn.effects),
        margin={"l": 8, "r": 16, "t": 28, "b": 48},
        bargap=0.35,
        xaxis={"title": {"text": "Log-odds, on average"}, "zeroline": False},
        yaxis={"autorange": "reversed", "showgrid": False},
    )


def _over_time(churn: Churn, figures: _ByInstant, more: Sequence[dict[str, Any]]) -> Figure:
    others = [each for each in churn.models if each.name != BASELINE]
    baseline = [each for each in churn.models if each.name == BASELINE]
    traces = [
        _line(churn, each, figures, "candidate")
        | {"name": "Other models", "legendgroup": "others", "showlegend": each is others[0], "line": {"width": 1}}
        for each in others
    ]
    traces += [_line(churn, each, figures, BASELINE) | {"line": {"width": 2, "dash": "dash"}} for each in baseline]
    champion = _line(churn, churn.champion, figures, "champion")
    return _figure(
        [*traces, champion | {"mode": "lines+markers", "line": {"width": 3}}, *more],
        height=_HEIGHT,
        margin={"l": 52, "r": 16, "t": 40, "b": 40},
        xaxis={"type": "date", "showgrid": False},
        yaxis={"tickformat": ".2f", "zeroline": False},
    )


def _line(churn: Churn, one: Model, figures: _ByInstant, colour: str) -> dict[str, Any]:
    """One model by time; of many instants some, and the newest among them."""
    points = [
        (_at(instant), figure) for instant, figure in zip(churn.instants, figures(one), strict=True) if instant.labelled
    ]
    step = steps_for(2 * len(points) * len(churn.models))
    shown = points[(len(points) - 1) % step :: step] if points else []
    title = model(one.name).title
    return _trace(title, colour, f"{title}: %{{y:.3f}}<br>%{{x|%Y-%m-%d}}") | {
        "x": [at for at, _ in shown],
        "y": [figure for _, figure in shown],
        "mode": "lines" if len(shown) > 1 else "markers",
    }


def _found(one: Model, colour: str) -> dict[str, Any]:
    return _curve(model(one.name).title, colour, [(each.share, each.found) for each in one.gains])


def _curve(name: str, colour: str, points: Sequence[tuple[float, float | None]]) -> dict[str, Any]:
    """A curve from nobody taken to everybody taken."""
    x, y = zip((0.0, 0.0), *points, (1.0, 1.0), strict=True)
    return _trace(name, colour, f"{name}: %{{x:.0%}} taken, %{{y:.1%}} found") | {
        "x": list(x),
        "y": list(y),
        "mode": "lines+markers",
    }


def _diagonal(name: str) -> dict[str, Any]:
    line = {"x": [0, 1], "y": [0, 1], "mode": "lines", "line": {"width": 1, "dash": "dot"}, "hoverinfo": "skip"}
    return {"type": "scatter", "name": name, "meta": "reference"} | line


def _trace(name: str, colour: str, hover: str) -> dict[str, Any]:
    return {"type": "scatter", "name": name, "meta": colour, "hovertemplate": f"{hover}<extra></extra>"}


def _square(traces: Sequence[dict[str, Any]], x: str, y: str) -> Figure:
    return _figure(
        traces,
        height=_SQUARE_HEIGHT,
        margin={"l": 60, "r": 16, "t": 64, "b": 52},
        xaxis={**_PERCENT, "title": {"text": x}},
        yaxis={**_PERCENT, "title": {"text": y}},
    )


def _figure(traces: Sequence[dict[str, Any]], **layout: Any) -> Figure:
    figure = go.Figure(traces)
    legend = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "reversed"}
    figure.update_layout(template="none", font=FONT, hovermode="closest", legend=legend, **layout)
    plain: Figure = figure.to_plotly_json()
    return plain


def _rows(churn: Churn) -> list[Row]:
    return list(zip(churn.instants, churn.champion.auc, churn.champion.log_loss, strict=True))


def _at(instant: Instant) -> str:
    return _time(instant.as_of)


def _time(as_of: int) -> str:
    return to_datetime(as_of).isoformat()[:_TO_THE_MINUTE]
