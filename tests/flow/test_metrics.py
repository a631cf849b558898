"""A real worker with all that it can have: what the dashboard, the alerts and the page name, it tells."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.request import urlopen

import pytest
import yaml
from kafka import KafkaProducer
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from app.clock import now
from app.live.metric_names import METRICS, MetricName
from schemas.times import HOUR_MS, SECOND_MS
from tests.flow.system import PATIENCE_S, System, Wire
from tests.promql import Selector, read
from tests.servers import promtool
from tests.test_predictions import events

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
ALERTS: Final = DEPLOY / "prometheus" / "alerts.yml"
RULES: Final = """
recall.quiet_hours = "none"

[[campaign]]
name = "word"
channels = [{ channel = "coupon", cost = 0.5 }]

[[campaign]]
name = "welcome"
on = { tag = "lifecycle", to = "active" }
channels = [{ channel = "gift" }]
"""
TARGET: Final = {"job": "rekindle", "instance": "worker:6066"}
"""What Prometheus adds to each series that it scrapes."""
NEWCOMER: Final = "newcomer"


class Shown(NamedTuple):
    """A query of the dashboard or of an alert; `told`: the texts that its labels are put into."""

    where: str
    query: str
    told: str


def alerts() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DEPLOY / "grafana" / "rekindle.json").read_text(encoding="utf-8"))
    return found


def shown() -> Iterator[Shown]:
    for alert in alerts():
        yield Shown(alert["alert"], alert["expr"], " ".join(alert["annotations"].values()))
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", []):
            yield Shown(f"{panel['title']} {target['refId']}", target["expr"], target["legendFormat"])


ALL: Final = list(shown())


class Told(NamedTuple):
    """What a worker told, before and after one more user came."""

    before: list[Sample]
    after: list[Sample]


class Watched(System):
    """One worker on the clock on the wall, of which something is waited for."""

    def samples(self) -> list[Sample]:
        """All that it tells Prometheus."""
        with urlopen(f"http://127.0.0.1:{self.ports[0]}/metrics", timeout=5) as answer:
            families = text_string_to_metric_families(answer.read().decode())
        return [sample for family in families for sample in family.samples]

    def wait_for(self, is_told: Callable[[Sequence[Sample]], bool]) -> list[Sample]:
        """What it tells, once that is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_told(samples := self.samples()):
            self._check(deadline)
            time.sleep(0.5)
        return samples

    def campaign(self, *arguments: str) -> None:
        """Tell campaigns something by hand."""
        command = [sys.executable, "-m", "app.cli", "campaign", *arguments]
        subprocess.run(command, env=self.environment, check=True, capture_output=True, timeout=PATIENCE_S)  # noqa: S603  our own command


def a_year_until_now() -> list[Wire]:
    """Users who come and stay away, the last one an hour ago."""
    made = list(events())
    later = now() - HOUR_MS - max(event["ts"] for event in made)
    return sorted(({**event, "ts": event["ts"] + later} for event in made), key=lambda event: int(event["ts"]))


def amount(samples: Sequence[Sample], name: str, **labels: str) -> float:
    """A metric over all series that have these labels."""
    return sum(each.value for each in samples if each.name == name and labels.items() <= each.labels.items())


@pytest.fixture(scope="module")
def told(embedded_kafka: str, embedded_redis: str, tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("watched")
    (folder / "rules.toml").write_text(RULES, encoding="utf-8")
    settings = {
        "kafka": embedded_kafka, "redis": embedded_redis, "delivery": "at_least_once", "partitions": "2",
        "rules": str(folder / "rules.toml"), "churn": "true", "churn_every": "15d", "churn_horizon": "30d",
    }  # fmt: skip
    with Watched(folder, **settings) as system:
        history = a_year_until_now()
        system.send(history)
        producer = KafkaProducer(bootstrap_servers=system.settings.kafka, enable_idempotence=False)
        producer.send(f"{system.settings.topic_prefix}events.click", b"no event", partition=0)
        producer.close()
        system.start(0)
        system.wait_until_ready()
        system.campaign("pause", "welcome")
        system.campaign("run", "word", "--yes")
        wanted = {metric.name for metric in METRICS if metric.kind != "histogram"}
        system.wait_for(lambda samples: wanted <= {each.name for each in samples})
        before = system.wait_for(lambda samples: amount(samples, "rekindle_events_total") >= len(history))
        after = come(system, before)
        assert system.stop() == [0]
    return Told(before, after)


def come(system: Watched, before: Sequence[Sample]) -> list[Sample]:
    """Let one more user come, and wait until that has become a trigger."""
    system.campaign("resume", "welcome")
    system.wait_for(lambda samples: not amount(samples, "rekindle_campaign_paused"))
    click = {"type": "click", "event_id": NEWCOMER, "user_id": NEWCOMER, "ts": now(), "item_id": "i"}
    said = amount(before, "rekindle_triggers_total", campaign="welcome")
    system.send([click])
    return system.wait_for(lambda samples: amount(samples, "rekindle_triggers_total", campaign="welcome") > said)


def series_of(metric: MetricName) -> tuple[str, set[str]]:
    """The name under which a metric is found, and the labels of such a series."""
    if metric.kind == "histogram":
        return f"{metric.name}_bucket", {*metric.labels, "le"}
    return metric.name, set(metric.labels)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_worker_tells_each_metric_of_the_page_with_its_labels(told: Told, metric: MetricName) -> None:
    name, labels = series_of(metric)
    found = [each for each in told.before if each.name == name]
    assert found
    assert all(each.labels.keys() == labels for each in found)


def test_a_worker_tells_no_metric_of_ours_that_the_page_does_not_name(told: Told) -> None:
    names = {re.sub(r"_(bucket|sum|count)$", "", each.name) for each in told.before}
    assert {name for name in names if name.startswith("rekindle")} == {metric.name for metric in METRICS}


def test_no_label_names_a_user(told: Told) -> None:
    users = {event["user_id"] for event in events()} | {NEWCOMER}
    assert not [each for each in told.after if users & set(each.labels.values())]


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.where)
def test_a_query_asks_for_what_a_worker_tells(told: Told, each: Shown) -> None:
    query = read(each.query)
    for selector in query.selectors:
        assert found_by(selector, told), f"{selector} finds nothing"
    assert set(query.labels) <= set().union(*(labels_of(selector, told) for selector in query.selectors))


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.where)
def test_a_text_names_labels_that_the_result_of_its_query_has(told: Told, each: Shown) -> None:
    query, named = read(each.query), set(re.findall(r"{{ *(?:\$labels\.)?([a-z_]+) *}}", each.told))
    kept = (
        set(query.labels) if re.search(r"\b(sum|max|min|count)\b", each.query) else labels_of(query.selectors[0], told)
    )
    assert named <= kept


def found_by(selector: Selector, told: Told) -> list[dict[str, str]]:
    """The labels of the series that a selector finds in what Prometheus has of that worker."""
    series = [("up", TARGET), *((each.name, TARGET | each.labels) for each in told.before)]
    return [labels for name, labels in series if selector.matches(name, labels)]


def labels_of(selector: Selector, told: Told) -> set[str]:
    return set(found_by(selector, told)[0])


def test_an_event_is_committed_at_once_and_its_trigger_said_when_the_grace_is_over(told: Told) -> None:
    def more(name: str, **labels: str) -> float:
        return amount(told.after, name, **labels) - amount(told.before, name, **labels)

    assert more("rekindle_event_to_commit_seconds_count") == 1
    assert 0 < more("rekindle_event_to_commit_seconds_sum") < 5
    assert more("rekindle_event_to_trigger_seconds_count") == more("rekindle_triggers_total", campaign="welcome") == 1
    assert 5 <= more("rekindle_event_to_trigger_seconds_sum") < 15
    assert more("rekindle_events_total", outcome="applied") == 1
    assert more("rekindle_tag_changes_total", tag="lifecycle") == 1


def test_what_a_worker_tells_is_so(told: Told) -> None:
    assert amount(told.before, "rekindle_dead_letters_total", reason="invalid_json") == 1
    assert amount(told.before, "rekindle_dead_letters_total") == 1
    assert amount(told.before, "rekindle_events_total") == len(list(events()))
    assert amount(told.before, "rekindle_users", tag="lifecycle") == len({event["user_id"] for event in events()})
    assert amount(told.before, "rekindle_restore_seconds_count") == 2
    assert amount(told.before, "rekindle_model_champion") == 1
    assert amount(told.before, "rekindle_redis_up") == 1
    assert amount(told.before, "rekindle_read_model_age_seconds") < 5
    assert amount(told.before, "rekindle_decisions_total", outcome="triggered") == amount(
        told.before, "rekindle_triggers_total"
    )
    delays = [each.value for each in told.after if each.name == "rekindle_watermark_delay_seconds"]
    assert all(5 <= delay < 10 for delay in delays)
    started = amount(told.after, "process_start_time_seconds")
    assert 0 <= now() / SECOND_MS - started < 2 * PATIENCE_S


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_says_how_bad_it_is_what_is_the_matter_and_what_to_do(alert: dict[str, Any]) -> None:
    assert re.fullmatch(r"\d+[smh]", alert["for"])
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert alert["annotations"].keys() == {"summary", "action"}


def test_panels_have_names_of_their_own_and_lie_beside_each_other() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    cells = [(x, y) for panel in panels for x, y in cells_of(panel["gridPos"])]
    assert len(set(cells)) == len(cells)
    assert all(x < 24 for x, _ in cells)


def cells_of(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    return (
        (x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])
    )


def test_prometheus_itself_takes_the_rules_and_the_queries_of_the_dashboard(tmp_path: Path) -> None:
    queries = [each.query.replace("$__rate_interval", "1m") for each in ALL]
    rules = [{"record": f"q{number}", "expr": query} for number, query in enumerate(queries)]
    (tmp_path / "dashboard.yml").write_text(yaml.safe_dump({"groups": [{"name": "q", "rules": rules}]}), "utf-8")
    for file in (ALERTS, tmp_path / "dashboard.yml"):
        promtool("check", "rules", str(file))
