"""What tests of several rooms need."""

from pathlib import Path
from typing import Final

import pytest

from tests.servers import apache_kafka, embedded_kafka, embedded_redis, given, kafka, missing, redis_url

__all__ = ["apache_kafka", "embedded_kafka", "embedded_redis", "given", "kafka", "published", "redis_url"]

_ONLINE_RETAIL: Final = Path(__file__).parents[2] / "shared" / "data" / "online_retail.parquet"


@pytest.fixture(scope="session")
def published() -> Path:
    """The UCI Online Retail file; where it is not, the test is skipped and says so, and under CI it fails."""
    if not _ONLINE_RETAIL.exists():
        missing("the Online Retail data is not here: put online_retail.parquet into ../shared/data beside the project")
    return _ONLINE_RETAIL
