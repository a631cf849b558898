"""The two forms of the report: report.json for machines, report.html for people."""

from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from jinja2 import Environment
from plotly.offline import get_plotlyjs

from app import campaign_charts, charts, churn_charts, churn_wording, ledger_words, policy_wording
from app.campaign_data import CampaignResults
from app.churn_data import Churn
from app.pages import environment
from app.report_data import (
    ByDay,
    Counts,
    Flow,
    History,
    Lifecycle,
    LifecycleLimits,
    Limits,
    Report,
    StateCounts,
    Tag,
    ValueUsers,
)

__all__ = [
    "ByDay",
    "CampaignResults",
    "Churn",
    "Counts",
    "Flow",
    "History",
    "Lifecycle",
    "LifecycleLimits",
    "Limits",
    "Report",
    "StateCounts",
    "Tag",
    "ValueUsers",
    "write_html",
    "write_json",
]

_EVERY_DAY: Final = 31
"""Up to so many days are a table row each; of a longer history, the month ends are."""


def write_json(report: Report, path: Path) -> None:
    """Write the report with a fixed order of keys: equal reports are equal bytes. Raises OSError."""
    plain = msgspec.json.encode(report, order="deterministic")
    path.write_bytes(msgspec.json.format(plain, indent=2) + b"\n")


def write_html(report: Report, path: Path) -> None:
    """Write the report as one page that needs no network: plotly.js, style and data are within. Raises OSError."""
    template = _pages().get_template("report.html.j2")
    html = template.render(report=report, plotly_js=get_plotlyjs())
    path.write_text(html, encoding="utf-8", newline="\n")


@cache
def _pages() -> Environment:
    return environment(
        charts=charts,
        rows_to_show=rows_to_show,
        churn_charts=churn_charts,
        churn_wording=churn_wording,
        policy_wording=policy_wording,
        campaign_charts=campaign_charts,
        ledger_words=ledger_words,
    )


def rows_to_show(by_day: ByDay) -> Iterator[tuple[date, list[int]]]:
    """The days that stand for all in a table, each with the users by state: all of a month, or else the month ends."""
    columns = [getattr(by_day, state) for state in charts.shown_states(by_day)]
    last = len(by_day.days) - 1
    for place, day in enumerate(by_day.days):
        if last < _EVERY_DAY or place == last or by_day.days[place + 1].month != day.month:
            yield day, [column[place] for column in columns]
