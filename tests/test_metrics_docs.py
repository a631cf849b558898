"""docs/metrics.md: its table of metrics is that of the code, and the names go by the rules of Prometheus."""

import re
from pathlib import Path

import pytest

from app.live.metric_names import METRICS, MetricName
from app.metrics_docs import tables
from app.tables_in_docs import with_tables

TEXT = (Path(__file__).parents[1] / "docs" / "metrics.md").read_text(encoding="utf-8")


def test_the_table_of_metrics_is_that_of_the_code() -> None:
    assert with_tables(TEXT, tables()) == TEXT, "run `python -m app.metrics_docs docs/metrics.md`"


def test_every_label_is_told_of() -> None:
    section = TEXT.partition("## The labels")[2].partition("\n## ")[0]
    told = set(re.findall(r"^- `(\w+)`:", section, flags=re.MULTILINE))
    assert told == {label for metric in METRICS for label in metric.labels}


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_name_tells_its_unit_and_whether_it_only_grows(metric: MetricName) -> None:
    assert re.fullmatch(r"rekindle(_[a-z]+)+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert ("_seconds" in metric.name) == ("seconds" in metric.unit)
    assert bool(metric.buckets) == (metric.kind == "histogram")


def test_no_two_metrics_have_one_name() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
