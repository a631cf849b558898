"""Checks of how long the topics are kept: events while late ones are waited for; rows, marks, commands for ever."""

from typing import Final

from kafka.admin import ConfigResource, KafkaAdminClient

from app.doctor.check import Check, Level
from app.partition_count import check_written_count
from app.settings import Settings
from app.topics import changelog_name, control_name, input_names, partition_counts, redriven_name
from schemas.times import format_span

NONE_YET: Final = "no topics yet"


def retention(client: KafkaAdminClient, settings: Settings) -> Check:
    """Whether events stay for as long as late ones are waited for."""
    configs = _configs(client, list(partition_counts(client, list(input_names(settings)))))
    kept = {name: int(each["retention.ms"]) for name, each in configs.items() if "retention.ms" in each}
    short = {name: ms for name, ms in kept.items() if 0 <= ms < settings.allowed_lateness}
    if short:
        found = ", ".join(f"{name} keeps {format_span(ms)}" for name, ms in sorted(short.items()))
        least = format_span(settings.allowed_lateness)
        advice = f"set retention.ms to {least} or more, or a worker that was down may miss events"
        return Check("retention", Level.WARNING, f"{found}, but allowed_lateness is {least}", advice)
    told = {format_span(ms) if ms > 0 else "for ever" for ms in kept.values()}
    return Check(
        "retention", Level.OK, ", ".join(sorted(told)) or (NONE_YET if not configs else "the broker's default")
    )


def changelog(client: KafkaAdminClient, settings: Settings) -> Check:
    """Whether a worker can go on from the changelog, and whether it is compacted: else rows get lost, or it grows."""
    name = changelog_name(settings)
    count = partition_counts(client, [name]).get(name)
    if count is None:
        return Check("changelog", Level.OK, f"{name} is not there yet")
    if count == settings.partitions:  # another number is what `topics` tells
        check_written_count(settings)
    configs = _configs(client, [name])[name]
    if not configs:
        advice = "allow DescribeConfigs on it, or see for yourself that its cleanup.policy is compact"
        return Check("changelog", Level.WARNING, f"the broker does not tell how {name} is kept", advice)
    return _compacted("changelog", name, configs)


def redriven(client: KafkaAdminClient, settings: Settings) -> Check:
    """Whether it is kept for ever which dead letters were redriven: else they would be redriven again."""
    return _compacted_if_there("redriven", redriven_name(settings), client)


def control(client: KafkaAdminClient, settings: Settings) -> Check:
    """Whether what people told campaigns is kept for ever: else a worker that was down may not hear of it."""
    return _compacted_if_there("control", control_name(settings), client)


def _compacted_if_there(check: str, name: str, client: KafkaAdminClient) -> Check:
    configs = _configs(client, list(partition_counts(client, [name]))).get(name)
    if not configs:
        return Check(check, Level.OK, f"{name} is not there yet, or the broker does not tell how it is kept")
    return _compacted(check, name, configs)


def _compacted(check: str, name: str, configs: dict[str, str]) -> Check:
    policy = configs.get("cleanup.policy", "delete")
    if policy == "compact":
        return Check(check, Level.OK, f"{name} is compacted")
    return Check(check, Level.FAILED, f"{name} has cleanup.policy={policy}", "set its cleanup.policy to compact")


def _configs(client: KafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    """The settings of topics as the broker tells them; the embedded broker cannot be asked for some by name."""
    if not names:
        return {}
    told = client.describe_configs([ConfigResource("TOPIC", name) for name in names], config_filter="all")
    return {name: {key: each["value"] for key, each in found.items()} for name, found in told["topic"].items()}
