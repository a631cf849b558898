"""What tests of several rooms need."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from app.demo.story import published_history
from tests.secured import authority, secured_kafka, secured_redis
from tests.servers import apache_kafka, embedded_kafka, embedded_redis, given, kafka, missing, redis_url

__all__ = [
    "apache_kafka", "authority", "embedded_kafka", "embedded_redis", "given", "kafka", "published", "redis_url",
    "secured_kafka", "secured_redis",
]  # fmt: skip


settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")  # machines are shared: how long an example takes says nothing


@pytest.fixture(scope="session")
def published() -> Path:
    """The UCI Online Retail file; where it is not, the test is skipped and says so, and under CI it fails."""
    return published_history() or missing(
        "the Online Retail data is not here: put online_retail.parquet into ../shared/data beside the project"
    )
