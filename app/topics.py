"""The topics on the broker: their names, and their upkeep."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from kafka.admin import KafkaAdminClient
from kafka.errors import (
    InvalidReplicationFactorError,
    KafkaError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
)

from app.knock import ClosedError, first_open
from app.settings import RULES_NONE, Settings
from schemas.topics import (
    CHURN_EXAMPLES,
    CHURN_MODELS,
    CHURN_SCORES,
    DEAD_LETTERS,
    INPUT_TOPICS,
    RECALL_DECISIONS,
    RECALL_TRIGGERS,
    TAG_CHANGES,
    Topic,
)

OUTPUT_TOPICS: Final[tuple[Topic, ...]] = (TAG_CHANGES, DEAD_LETTERS)
"""Those that this version always writes."""
RECALL_TOPICS: Final[tuple[Topic, ...]] = (RECALL_TRIGGERS, RECALL_DECISIONS)
"""Those that it writes too where there are rules: campaigns are among them."""
CHURN_TOPICS: Final[tuple[Topic, ...]] = (CHURN_SCORES, CHURN_EXAMPLES, CHURN_MODELS)
"""Those that it writes too where churn is told."""

PATIENCE_S: Final = 8
"""How long a broker may take to answer."""

# A restore reads the whole changelog, so it is kept near one record a user: cleaned as soon as a fifth of it is old.
# Only closed segments are cleaned: they are small, and a quiet one is closed after an hour.
_COMPACTED: Final = {
    "cleanup.policy": "compact",
    "retention.ms": "-1",
    "min.cleanable.dirty.ratio": "0.2",
    "max.compaction.lag.ms": str(24 * 60 * 60 * 1000),
    "segment.ms": str(60 * 60 * 1000),
    "segment.bytes": str(64 * 1024 * 1024),
}
_KEPT: Final = {"retention.ms": str(400 * 24 * 60 * 60 * 1000)}
"""Examples of a year and more: a trainer that starts reads them all."""
_FINE: Final = frozenset({0, TopicAlreadyExistsError.errno})  # another worker may create them at the same moment

logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what it logs is raised too, and told in one line by us


class BrokerError(Exception):
    """No broker answers, or it does not do what is asked; the text is one line: what is wrong, and what to do."""

    def __init__(self, problem: str, advice: str = "") -> None:
        super().__init__(f"{problem}: {advice}" if advice else problem)
        self.problem = problem
        self.advice = advice


class TopicsError(BrokerError):
    """The topics on the broker are not as they must be."""


def input_names(settings: Settings) -> dict[str, Topic]:
    """Name on the broker -> input topic, in the order of the topic rank."""
    return {settings.topic_prefix + topic: topic for topic in INPUT_TOPICS}


def output_name(settings: Settings, topic: Topic) -> str:
    """An output topic's name on the broker."""
    return settings.topic_prefix + topic


def examples_name(settings: Settings) -> str:
    """The name on the broker of the topic of what models learn from."""
    return output_name(settings, CHURN_EXAMPLES)


def models_name(settings: Settings) -> str:
    """The name on the broker of the topic that keeps the newest models, in its first partition."""
    return output_name(settings, CHURN_MODELS)


def changelog_name(settings: Settings) -> str:
    """The name on the broker of the topic that keeps the rows."""
    return f"{settings.topic_prefix}{settings.app_id}-changelog"


def redriven_name(settings: Settings) -> str:
    """The name on the broker of the topic that keeps which dead letters were redriven; only `dlq redrive` needs it."""
    return f"{settings.topic_prefix}{settings.app_id}-redriven"


def control_name(settings: Settings) -> str:
    """The name on the broker of the topic that keeps what people told campaigns, in its first partition."""
    return f"{settings.topic_prefix}{settings.app_id}-control"


def compacted_names(settings: Settings) -> frozenset[str]:
    """The names on the broker of the topics whose newest record of each key must never go."""
    names = (changelog_name, redriven_name, models_name, control_name)
    return frozenset(name(settings) for name in names)


def all_names(settings: Settings) -> list[str]:
    """Every topic's name on the broker: inputs, outputs, changelog, and where there are campaigns their control."""
    has_campaigns = settings.rules != RULES_NONE
    recall = RECALL_TOPICS if has_campaigns else ()
    churn = CHURN_TOPICS if settings.churn else ()
    outputs = [output_name(settings, topic) for topic in (*OUTPUT_TOPICS, *recall, *churn)]
    control = [control_name(settings)] if has_campaigns else []
    return [*input_names(settings), *outputs, changelog_name(settings), *control]


@contextmanager
def admin(settings: Settings) -> Iterator[KafkaAdminClient]:
    """An admin client, connected.

    Raises BrokerError within about 10 s where no broker answers, or where it stops answering.
    """
    kafka = settings.kafka_connection
    try:
        answering = first_open(kafka, PATIENCE_S)
    except ClosedError as error:
        raise BrokerError(error.problem, error.advice) from None
    wait_ms = PATIENCE_S * 1000
    limits = {"bootstrap_timeout_ms": wait_ms, "request_timeout_ms": wait_ms}
    try:
        with KafkaAdminClient(**replace(kafka, servers=answering).options(), **limits) as client:
            yield client
    except KafkaError as error:
        raise BrokerError(
            f"the Kafka broker at {settings.kafka} does not do what is asked ({one_line(error)})",
            "see that it is up, and that the address it advertises can be reached from here",
        ) from None


def prepare(settings: Settings, *more: str) -> int:
    """Create the topics that are missing, `more` among them; the number of partitions that each of them has.

    Raises BrokerError, and TopicsError where topics are there with another number of partitions.
    """
    names = [*all_names(settings), *more]
    with admin(settings) as client:
        there = partition_counts(client, names)
        check_counts(there, settings)
        missing = [name for name in names if name not in there]
        if missing:
            _create(client, missing, settings)
        client.wait_for_topics(names, timeout_ms=PATIENCE_S * 1000)
        return check_counts(partition_counts(client, names), settings)


def partition_counts(client: KafkaAdminClient, names: list[str]) -> dict[str, int]:
    """How many partitions each topic has, of those that exist."""
    described: list[dict[str, Any]] = client.describe_topics(names)
    there = {each["name"]: each for each in described if each["error_code"] != UnknownTopicOrPartitionError.errno}
    return {name: len(there[name]["partitions"]) for name in names if name in there and there[name]["partitions"]}


def check_counts(counts: dict[str, int], settings: Settings) -> int:
    """The number of partitions that all topics have; that of the settings where there are none.

    Raises TopicsError where they differ.
    """
    found = set(counts.values()) or {settings.partitions}
    if len(found) > 1:
        first, *others = sorted(counts.items(), key=lambda each: (each[1], each[0]))
        listed = ", ".join([f"{first[0]} has {first[1]} partitions", *(f"{name} {number}" for name, number in others)])
        raise TopicsError(
            listed,
            "all must have the same number; recreate those that are wrong, or begin in new ones: docs/upgrading.md",
        )
    (number,) = found
    if number != settings.partitions:
        raise TopicsError(
            f"the topics have {number} partitions, but {settings.partitions} are set",
            f"set REKINDLE_PARTITIONS={number}, or recreate the topics; to change it: docs/upgrading.md",
        )
    return number


def one_line(error: BaseException) -> str:
    """An error of a client library in one short line."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    return (text if name in text else f"{name}: {text}" if text else name)[:200]


def _create(client: KafkaAdminClient, names: list[str], settings: Settings, replication: int = -1) -> None:
    """Create topics, with as many replicas as the broker thinks right, or one where it has no opinion."""
    compacted = compacted_names(settings)
    options = {"num_partitions": settings.partitions, "replication_factor": replication}
    kept = {examples_name(settings): _KEPT}
    wanted = {name: {**options, "configs": _COMPACTED if name in compacted else kept.get(name, {})} for name in names}
    results = client.create_topics(wanted, raise_errors=False)["topics"]
    refused = {each["name"]: each for each in results if each["error_code"] not in _FINE}
    unsure = [name for name, each in refused.items() if each["error_code"] == InvalidReplicationFactorError.errno]
    if unsure and replication < 0:
        _create(client, unsure, settings, replication=1)
        refused = {name: each for name, each in refused.items() if name not in unsure}
    for name, each in refused.items():
        reason = each["error_message"] or f"error {each['error_code']}"
        raise TopicsError(f"the broker does not create {name} ({reason})", "ask its owner, or create it by its tools")
