"""What tests of several rooms need."""

import os
from pathlib import Path
from typing import Final

import pytest

_ONLINE_RETAIL: Final = Path(__file__).parents[2] / "shared" / "data" / "online_retail.parquet"


@pytest.fixture(scope="session")
def published() -> Path:
    """The UCI Online Retail file; where it is not, the test is skipped and says so, and under CI it fails."""
    if not _ONLINE_RETAIL.exists():
        why = "the Online Retail data is not here: put online_retail.parquet into ../shared/data beside the repository"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    return _ONLINE_RETAIL
