"""Two minutes of what `make chaos` does for half an hour."""

import subprocess
import sys
from pathlib import Path

from tests.servers import fetch_kafka, redis_program


def test_a_campaign_of_faults_leaves_no_trace(tmp_path: Path) -> None:
    fetch_kafka()
    redis_program()
    command = [sys.executable, "-m", "tests.chaos", "--short", "--seed", "1", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own program
    assert done.returncode == 0, done.stderr
    assert "| no change is said twice |" in (tmp_path / "chaos.md").read_text()
