"""An Apache Kafka of its own for a benchmark."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.settings import Settings
from app.topics import prepare
from tests.servers import ApacheKafka


@contextmanager
def broker(partitions: int, app_id: str) -> Iterator[Settings]:
    """Settings of an application on a new broker, with its topics."""
    with tempfile.TemporaryDirectory() as folder:
        kafka = ApacheKafka(Path(folder))
        kafka.start()
        try:
            settings = Settings(kafka=kafka.bootstrap, partitions=partitions, clock="event", app_id=app_id)
            prepare(settings)
            yield settings
        finally:
            kafka.stop()


def environment(settings: Settings, app_id: str) -> dict[str, str]:
    """What a worker in a process of its own needs to know; without Redis."""
    return {
        **os.environ,
        "REKINDLE_KAFKA": settings.kafka,
        "REKINDLE_PARTITIONS": str(settings.partitions),
        "REKINDLE_CLOCK": "event",
        "REKINDLE_APP_ID": app_id,
        "REKINDLE_REDIS": "redis://127.0.0.1:1",
        "REKINDLE_CHURN": "false",
    }
