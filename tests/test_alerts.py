"""Each alert is raised where it should be, and is not where things are only nearly so: Prometheus' own tool says so."""

from pathlib import Path
from typing import Any, Final

import yaml

from tests.servers import promtool

ALERTS: Final = Path(__file__).parents[1] / "deploy" / "prometheus" / "alerts.yml"

Series = dict[str, str]
"""What is told each minute (each ten where it takes hours), as promtool writes it: `5x3` is 5 5 5 5, `0+5x2` 0 5 10."""

EVENTS: Final = 'rekindle_events_total{partition="0", outcome="applied"}'
LATE: Final = 'rekindle_late_events_total{partition="0", lateness="too_late"}'
DEAD: Final = 'rekindle_dead_letters_total{reason="empty"}'
TRIGGERED: Final = 'rekindle_decisions_total{campaign="c", outcome="triggered"}'
SHADOW: Final = 'rekindle_decisions_total{campaign="c", outcome="shadow"}'
RESTORES: Final = "rekindle_restore_seconds_count"


def up(instance: str = "a") -> str:
    return f'up{{job="rekindle", instance="{instance}"}}'


def of(name: str, partition: int = 0, **labels: str) -> str:
    told = ", ".join(f'{label}="{value}"' for label, value in {"partition": str(partition), **labels}.items())
    return f"{name}{{{told}}}"


def buckets(name: str, fast: str, slow: str, limit: str) -> Series:
    """A histogram of what took no longer than a limit, and of everything."""
    return {
        f'{name}_bucket{{le="{limit}"}}': fast,
        f'{name}_bucket{{le="60.0"}}': slow,
        f'{name}_bucket{{le="+Inf"}}': slow,
    }


def models(champion: float, base: float, examples: int = 2_000) -> Series:
    """The champion is the mix; another model is bad, which is nobody's business."""
    losses = {"mix": champion, "forest": 9.0}
    told = {f'rekindle_model_log_loss{{model="{model}", instance="a"}}': f"{loss}x90" for model, loss in losses.items()}
    champions = {
        f'rekindle_model_champion{{model="{model}", instance="a"}}': f"{int(model == 'mix')}x90" for model in losses
    }
    return {
        **told,
        **champions,
        "rekindle_model_base_log_loss": f"{base}x90",
        "rekindle_model_examples": f"{examples}x90",
    }


RUNNING: Final = {of("rekindle_partition_running", number): "1x160" for number in range(2)}

CASES: Final[list[tuple[str, Series, str, bool]]] = [
    ("RekindleDown", {up(): "1 1 0x9", up("b"): "1x9"}, "4m", True),
    ("RekindleDown", {up(): "1x9"}, "4m", False),
    ("RekindleRestarts", {'process_start_time_seconds{job="rekindle"}': "1 2 3 4x9"}, "9m", True),
    ("RekindleRestarts", {'process_start_time_seconds{job="rekindle"}': "1 2 3x9"}, "9m", False),
    ("RekindleRestarts", {'process_start_time_seconds{job="else"}': "1 2 3 4x9"}, "9m", False),
    ("RekindlePartitionNotRunning", {of("rekindle_partition_running"): "0x9"}, "6m", True),
    ("RekindlePartitionNotRunning", {of("rekindle_partition_running"): "0 0 0 0 1x9"}, "9m", False),
    (
        "RekindlePartitionNotRunning",  # two workers tell of it while it is handed over
        {of("rekindle_partition_running", job=job): f"{number}x9" for number, job in enumerate("ab")},
        "9m",
        False,
    ),
    ("RekindleStuck", {of("rekindle_progress_age_seconds"): "20x9"}, "3m", True),
    ("RekindleStuck", {of("rekindle_progress_age_seconds", instance=i): "14x9" for i in "ab"}, "3m", False),
    (
        "RekindleLag",  # by topic, over all partitions
        {of("rekindle_lag_records", number, topic="t"): "60000x20" for number in range(2)},
        "15m",
        True,
    ),
    ("RekindleLag", {of("rekindle_lag_records", topic="t", instance=i): "60000x20" for i in "ab"}, "15m", False),
    ("RekindleBehind", {of("rekindle_watermark_delay_seconds"): "61x9"}, "6m", True),
    ("RekindleBehind", {of("rekindle_watermark_delay_seconds", instance=i): "40x9" for i in "ab"}, "6m", False),
    ("RekindleSlowEpochs", buckets("rekindle_epoch_seconds", "0+98x30", "0+100x30", "1.0"), "20m", True),
    ("RekindleSlowEpochs", buckets("rekindle_epoch_seconds", "0+100x30", "0+100x30", "1.0"), "20m", False),
    ("RekindleSlowChanges", buckets("rekindle_event_to_commit_seconds", "0+98x30", "0+100x30", "10.0"), "20m", True),
    ("RekindleSlowChanges", buckets("rekindle_event_to_commit_seconds", "0+100x30", "0+100x30", "10.0"), "20m", False),
    ("RekindleDeadLetters", {DEAD: "0+2x20", EVENTS: "0+100x20"}, "15m", True),
    ("RekindleDeadLetters", {DEAD: "0+2x20", EVENTS: "0x20"}, "15m", True),
    ("RekindleDeadLetters", {DEAD: "0+2x20", EVENTS: "0+300x20"}, "15m", False),
    ("RekindleTooLate", {LATE: "0+2x60", EVENTS: "0+100x60"}, "40m", True),
    ("RekindleTooLate", {LATE: "0+2x60", EVENTS: "0+300x60"}, "40m", False),
    ("RekindleTooLate", {LATE.replace("too_late", "late"): "0+2x60", EVENTS: "0+100x60"}, "40m", False),
    ("RekindleRestores", {**RUNNING, RESTORES: "0+1x90"}, "70m", True),
    ("RekindleRestores", {**RUNNING, RESTORES: "2x20 8x90"}, "70m", False),
    ("RekindleRestores", {**RUNNING, RESTORES: "0+1x160"}, "26h", False),
    ("RekindleModelsWorseThanBaseRate", models(0.7, 0.6), "70m", True),
    ("RekindleModelsWorseThanBaseRate", models(0.5, 0.6), "70m", False),
    ("RekindleModelsWorseThanBaseRate", models(0.7, 0.6, examples=900), "70m", False),
    (
        "RekindleModelsOld",
        {of("rekindle_watermark_seconds"): f"{22 * 86_400}x90", "rekindle_model_as_of_seconds": "0x90"},
        "70m",
        True,
    ),
    (
        "RekindleModelsOld",
        {of("rekindle_watermark_seconds"): f"{20 * 86_400}x90", "rekindle_model_as_of_seconds": "0x90"},
        "70m",
        False,
    ),
    ("RekindleNoTriggers", {TRIGGERED: "5x160", SHADOW: "0x160", EVENTS: "0+9x160"}, "26h", True),
    ("RekindleNoTriggers", {TRIGGERED: "0+1x160", SHADOW: "0x160", EVENTS: "0+9x160"}, "26h", False),
    ("RekindleNoTriggers", {TRIGGERED: "5x160", SHADOW: "0x160", EVENTS: "9x160"}, "26h", False),
    ("RekindleNoTriggers", {TRIGGERED: "5x160", SHADOW: "0+1x160", EVENTS: "0+9x160"}, "26h", False),
    ("RekindleNoTriggers", {EVENTS: "0+9x160"}, "26h", False),
    ("RekindleTooManyTriggers", {TRIGGERED: "0+10x150 1500+600x6"}, "26h", True),
    ("RekindleTooManyTriggers", {TRIGGERED: "0+600x156"}, "26h", False),
    ("RekindleTooManyTriggers", {TRIGGERED: "0+17x150 2550+100x6"}, "26h", False),
    ("RekindleRedisDown", {'rekindle_redis_up{instance="a"}': "0x9"}, "2m", True),
    ("RekindleRedisDown", {'rekindle_redis_up{instance="a"}': "0 1x9"}, "2m", False),
    ("RekindleReadModelNotWhole", {"rekindle_read_model_whole": "0x20"}, "18m", True),
    ("RekindleReadModelNotWhole", {"rekindle_read_model_whole": "0 0 0 1x20"}, "18m", False),
    ("RekindleReadModelBehind", {"rekindle_read_model_age_seconds": "31x9"}, "2m", True),
    ("RekindleReadModelBehind", {"rekindle_read_model_age_seconds": "6x9"}, "2m", False),
]


def interval(at: str) -> str:
    """How often something is told, and looked at."""
    return "10m" if at.endswith("h") else "1m"


def world(alert: str, told: Series, at: str, *, fires: bool) -> dict[str, Any]:
    """A test as promtool takes it."""
    expected = [{"labels": "{}", "value": 1}] if fires else []
    return {
        "name": alert,
        "interval": interval(at),
        "input_series": [{"series": series, "values": values} for series, values in told.items()],
        "promql_expr_test": [
            {
                "expr": f'count(count by (alertname) (ALERTS{{alertname="{alert}", alertstate="firing"}}))',
                "eval_time": at,
                "exp_samples": expected,
            }
        ],
    }


def test_every_alert_has_a_case_in_which_it_is_raised_and_one_in_which_it_is_not() -> None:
    (group,) = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    expected = {(rule["alert"], fires) for rule in group["rules"] for fires in (True, False)}
    assert {(alert, fires) for alert, _, _, fires in CASES} == expected


def test_an_alert_is_raised_where_it_should_be_and_only_there(tmp_path: Path) -> None:
    files = []
    for pause in ("1m", "10m"):
        tests = [world(alert, told, at, fires=fires) for alert, told, at, fires in CASES if interval(at) == pause]
        rules = {"rule_files": [str(ALERTS)], "evaluation_interval": pause, "tests": tests}
        files.append(tmp_path / f"{pause}.yml")
        files[-1].write_text(yaml.safe_dump(rules), encoding="utf-8")
    promtool("test", "rules", *map(str, files))
