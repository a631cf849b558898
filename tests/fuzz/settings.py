"""What people set: settings in force, or one line that says what is wrong."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from unittest.mock import patch

from hypothesis import strategies as st

from agents.partition import Partition
from app.settings import SETTINGS_FILE, Settings, SettingsError, load
from schemas.times import MAX_TS
from tables.table import Table
from tests.fuzz.mutate import alone, mutated
from tests.fuzz.target import Target

SECRET: Final = "do-not-show-this"  # noqa: S105  it opens nothing

_NAMES: Final = sorted(Settings.model_fields)
_TEXTS: Final = (
    "30d", "0d", "-1d", "99999999999999999999d", "12 h", "127.0.0.1:9092", "[::1]:9092", "a:b,c:1", ":", "rediss://u:p@h",
    "unix:///s", "redis://[", "shop.", "8", "10000", "0", "1.5", "wall", "event", "true",
    "exactly_once", "sasl_ssl", "PLAIN", "0.0.0.0", "::", "localhost", "", " ", "/", "/etc/passwd",
    "x" * 5000, "用户", "{}", "[1]", "null",
)  # fmt: skip
_texts: Final = st.sampled_from(_TEXTS) | st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=12)
_secrets: Final = st.fixed_dictionaries(
    {"kafka_password": st.sampled_from([SECRET, f"{SECRET}\n", f" {SECRET}"])},
    optional={
        "web_token": st.sampled_from([SECRET, SECRET * 3, f"{SECRET} "]),
        "redis": st.sampled_from(
            [
                f"{scheme}://{who}@h:{port}"
                for scheme in ("redis", "rediss", "http")
                for who in (f":{SECRET}", f"{SECRET}#")
                for port in ("1", "x", "99999", "1/0?db=x")
            ]
        ),
    },
)
_environments: Final = st.dictionaries(st.sampled_from(_NAMES), _texts, max_size=4)
_FILES: Final = (
    b'silent_after = "15d"\nlost_after = "40d"\npartitions = 4\nclock = "event"\n',
    b'kafka = "127.0.0.1:9092"\nepoch_ms = 50\ntitle = "Caf\xc3\xa9"\nweb_port = 6066\n[a]\nb = [1, 2.5, 1979-05-27]\n',
    b'title = """\na\n"""\napp_id = \'x\'\nsilent_after = 5\n[[partitions]]\n',
    b"",
)


def check_settings(given: tuple[dict[str, str], dict[str, str], bytes]) -> None:
    """Settings with which a partition works, or one line without a secret."""
    with TemporaryDirectory(prefix="rekindle-fuzz-") as folder:
        check_in(Path(folder), *given)


def check_in(folder: Path, environment: dict[str, str], secrets: dict[str, str], file: bytes) -> None:
    """Load them in a folder."""
    (folder / SETTINGS_FILE).write_bytes(file)
    variables = {f"REKINDLE_{name.upper()}": value for name, value in {**environment, **secrets}.items()}
    here = Path.cwd()
    os.chdir(folder)
    try:
        with patch.dict(os.environ, variables):
            settings = load()
    except SettingsError as error:
        assert str(error).isprintable()
        assert SECRET not in str(error)
        return
    finally:
        os.chdir(here)
    assert SECRET not in repr(settings)
    check_limits(settings)


def check_limits(settings: Settings) -> None:
    """The first click and the last one that can be: their rows are written."""
    for ts in (1, MAX_TS - 1):
        partition = Partition(0, settings.limits, Table())
        click = b'{"type": "click", "event_id": "e", "user_id": "u", "item_id": "i", "ts": %d}' % ts
        partition.take("events.click", [(0, click)])
        for event in partition.merge.release(ts + 1):
            partition.apply(event.record, ts)  # type: ignore[arg-type]  # a click
        assert partition.collect().rows["u"]


SETTINGS: Final = (Target("settings", alone(st.tuples(_environments, _secrets, mutated(*_FILES))), check_settings),)
