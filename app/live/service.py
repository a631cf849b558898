"""The Faust application of a worker: an agent for each input topic, on the chunk lane, and its web server."""

from collections.abc import Callable
from typing import Any, Final

import faust
from faust.auth import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT
from faust.web.base import BlueprintManager

from app.connection import KafkaConnection
from app.live.lane import LaneConsumer, LaneTransport
from app.live.tasks import TaskManager
from app.settings import Settings
from app.topics import input_names
from schemas.times import SECOND_MS
from schemas.topics import Topic

HEARTBEATS_A_SESSION: Final = 5
OFFSETS_S: Final = 1.0


class App(faust.App):
    """An application that needs no folder: its state is in the changelog."""

    def _create_directories(self) -> None:
        """None; Faust would make `<app_id>-data` in the working folder, for tables."""


class ChunkSchema(faust.Schema[Any, Any]):
    """What the lane delivers is decoded by the tasks."""

    def loads_key(self, app: Any, message: Any, **_: Any) -> Any:  # noqa: ARG002  Faust's signature
        """A chunk has no key."""
        return

    def loads_value(self, app: Any, message: Any, **_: Any) -> Any:  # noqa: ARG002  likewise
        """The chunk itself."""
        return message.value


def build(settings: Settings, new_tasks: Callable[[LaneConsumer], TaskManager]) -> faust.App:
    """A Faust application whose agents feed the tasks."""
    session_s = settings.session_timeout / SECOND_MS
    app = App(
        settings.app_id,
        broker=f"kafka://{settings.kafka.replace(',', ';')}",
        broker_credentials=_credentials(settings.kafka_connection),
        topic_partitions=settings.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        broker_session_timeout=session_s,
        broker_heartbeat_interval=session_s / HEARTBEATS_A_SESSION,
        broker_commit_interval=OFFSETS_S,
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        web_host=settings.web_host,
        web_bind=settings.web_host,
        web_port=settings.web_port,
        logging_config=None,
    )
    names = input_names(settings)
    app.transport = _transport(app, names, new_tasks)
    app.web.blueprints = BlueprintManager([])
    for name, topic in names.items():
        app.agent(app.topic(name, schema=ChunkSchema()), name=topic)(_agent)
    return app


def _credentials(kafka: KafkaConnection) -> CredentialsT | None:
    """TLS and login, in Faust's words."""
    if kafka.login is None:
        return SSLCredentials(kafka.tls) if kafka.tls else None
    return SASLCredentials(
        username=kafka.login.username,
        password=kafka.login.password,
        mechanism=kafka.login.mechanism.value,
        ssl_context=kafka.tls,
    )


async def _agent(stream: Any) -> None:
    """Hand each chunk of a topic to its partition's task."""
    tasks: TaskManager = stream.app.consumer.tasks
    async for chunk in stream:
        tasks.take(chunk)


def _transport(
    app: faust.App, names: dict[str, Topic], new_tasks: Callable[[LaneConsumer], TaskManager]
) -> LaneTransport:
    transport = LaneTransport(app.conf.broker_consumer, app)
    transport.names = names
    transport.new_tasks = new_tasks
    return transport
