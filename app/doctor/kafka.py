"""Checks of the broker: whether it answers, what it can do, the topics."""

import time
from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError
from kafka.producer import KafkaProducer

from app.connection import Mechanism
from app.doctor.check import Check, Level
from app.doctor.group import group
from app.doctor.kept import NONE_YET, changelog, control, redriven, retention
from app.settings import Delivery, Settings
from app.topics import (
    PATIENCE_S,
    BrokerError,
    admin,
    all_names,
    check_counts,
    one_line,
    partition_counts,
    redriven_name,
)
from tables.codec import UnreadableError

Look: TypeAlias = Callable[[KafkaAdminClient, Settings], Check]

_AGAIN_S: Final = 0.25


def kafka_checks(settings: Settings) -> list[Check]:
    """All checks of the broker; one that does not answer is a single check that failed."""
    looks: dict[str, Look] = {
        "broker": broker,
        "connection": connection,
        "transactions": transactions,
        "topics": topics,
        "replication": replication,
        "retention": retention,
        "changelog": changelog,
        "redriven": redriven,
        "control": control,
        "group": group,
    }
    try:
        with admin(settings) as client:
            return [_guarded(name, partial(look, client, settings)) for name, look in looks.items()]
    except BrokerError as error:
        return [Check("broker", Level.FAILED, error.problem, error.advice)]


def _guarded(name: str, look: Callable[[], Check]) -> Check:
    """A check; where the broker does not let us look, that is what was found, and the others go on."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return look()
        except BrokerError as error:
            return Check(name, Level.FAILED, error.problem, error.advice)
        except UnreadableError as error:
            problem, _, advice = str(error).partition(": ")
            return Check(name, Level.FAILED, problem, advice)
        except KafkaError as error:
            if not error.retriable or time.monotonic() > deadline:
                return Check(name, Level.WARNING, f"cannot be looked at ({one_line(error)})", "see the broker's log")
        time.sleep(_AGAIN_S)  # a new broker makes its own topics when they are first asked for


def broker(client: KafkaAdminClient, settings: Settings) -> Check:
    """How many brokers there are, and what they are."""
    cluster = client.describe_cluster()
    nodes = [node["broker_id"] for node in cluster["brokers"]]
    spoken = {".".join(map(str, client.get_broker_version_data(node).broker_version)) for node in nodes}
    number = "1 broker" if len(nodes) == 1 else f"{len(nodes)} brokers"
    found = (
        f"{number} at {settings.kafka}, speaking as Kafka {', '.join(sorted(spoken))} (cluster {cluster['cluster_id']})"
    )
    return Check("broker", Level.OK, found)


def connection(_: KafkaAdminClient, settings: Settings) -> Check:
    """How the connection is secured."""
    kafka = settings.kafka_connection
    login = f"login of {kafka.login.username} by {kafka.login.mechanism}" if kafka.login else "no login"
    found = f"{kafka.security}: {'TLS' if kafka.tls else 'no TLS'}, {login}"
    if kafka.login and not kafka.tls and kafka.login.mechanism is Mechanism.PLAIN:
        return Check("connection", Level.WARNING, f"{found}; the password can be read on its way", "use sasl_ssl")
    return Check("connection", Level.OK, found)


def transactions(client: KafkaAdminClient, settings: Settings) -> Check:
    """Whether the broker has transactions, for exactly-once delivery."""
    problem = _transactions_problem(client, settings)
    if not problem:
        return Check("transactions", Level.OK, f"available; delivery is {settings.delivery.value}")
    if settings.delivery is Delivery.AT_LEAST_ONCE:
        return Check("transactions", Level.OK, f"{problem}; delivery is at_least_once, which needs none")
    advice = "set REKINDLE_DELIVERY=at_least_once, or use Apache Kafka"
    return Check("transactions", Level.FAILED, f"{problem}, but delivery is exactly_once", advice)


def _transactions_problem(client: KafkaAdminClient, settings: Settings) -> str:
    # The embedded broker takes transactions, but shows aborted records to all: it cannot describe them either.
    if "DescribeTransactions" not in {key.name for key in client.api_versions()}:
        return "the broker has no working transactions"
    if settings.delivery is Delivery.AT_LEAST_ONCE:
        return ""
    wait_ms = PATIENCE_S * 1000
    try:
        producer = KafkaProducer(
            **settings.kafka_connection.options(),
            transactional_id=f"{settings.app_id}-doctor",
            bootstrap_timeout_ms=wait_ms,
            max_block_ms=wait_ms,
        )
        try:
            producer.init_transactions()
        finally:
            producer.close(timeout=1)
    except KafkaError as error:
        return f"a transaction cannot be begun ({one_line(error)})"
    return ""


def topics(client: KafkaAdminClient, settings: Settings) -> Check:
    """Whether all topics are there, with the same number of partitions."""
    names = all_names(settings)
    there = partition_counts(client, names)
    number = check_counts(there, settings)
    missing = [name for name in names if name not in there]
    if missing:
        found = f"missing: {', '.join(missing)}" if there else f"{NONE_YET} ({len(names)} are needed)"
        return Check(
            "topics", Level.WARNING, found, "nothing, if this is a new system: a worker or a replay makes them"
        )
    return Check("topics", Level.OK, f"all {len(names)}, with {number} partitions each")


def replication(client: KafkaAdminClient, settings: Settings) -> Check:
    """Whether the topics outlive the loss of a broker."""
    there = list(partition_counts(client, [*all_names(settings), redriven_name(settings)]))
    described = client.describe_topics(there) if there else []
    copies = {each["name"]: min(len(one["replica_nodes"]) for one in each["partitions"]) for each in described}
    brokers = len(client.describe_cluster()["brokers"])
    single = sorted(name for name, number in copies.items() if number == 1)
    if single and brokers > 1:
        advice = "move them to more brokers (kafka-reassign-partitions), or one that breaks takes them along"
        return Check("replication", Level.WARNING, f"{brokers} brokers, but one copy of {', '.join(single)}", advice)
    found = (
        f"{min(copies.values())} copies or more, {brokers} brokers"
        if brokers > 1 and copies
        else "one broker, one copy"
    )
    return Check("replication", Level.OK, found if copies else NONE_YET)
