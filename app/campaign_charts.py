"""The plot of triggers; like those of `app.charts` it names colours by `meta`, and the page has them."""

import plotly.graph_objects as go

from app.campaign_data import CampaignResults
from app.charts import Figure, over_time, steps_for
from schemas.times import DAY_MS

_MAX_BARS = 120
"""So many bars are told apart at a page's width; of more days, each bar is several."""


def days_a_bar(results: CampaignResults) -> int:
    """How many days a bar of the plot stands for."""
    numbers = len(results.days) * len(results.campaigns)
    return max(steps_for(numbers), -(-len(results.days) // _MAX_BARS))


def triggers_over_time(results: CampaignResults) -> Figure:
    """Triggers by campaign, stacked, a bar for each so many UTC days."""
    step = days_a_bar(results)
    starts = range(0, len(results.days), step)
    sums = {
        name: [sum(found.triggers_by_day[start : start + step]) for start in starts]
        for name, found in results.campaigns.items()
        if found.totals.triggered
    }
    traces = [
        go.Bar(
            name=name,
            meta=f"value-{(place - 1) % 12 + 1}",
            hovertemplate="%{y:,d}",
            x0=results.days[0].isoformat(),
            dx=step * DAY_MS,
            y=counts,
        )
        for place, (name, counts) in enumerate(sums.items(), start=1)
    ]
    most = max((sum(counts) for counts in zip(*sums.values(), strict=True)), default=0)
    return over_time(traces, most)
