"""The files of a comparison: diff.html for people, diff.json for machines, diff-users.csv for the next campaign."""

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from jinja2 import Environment
from plotly.offline import get_plotlyjs

from app import charts
from app.pages import environment
from app.rules_diff.charts import plot_of_value, step_days
from app.rules_diff.compare import Comparison
from app.rules_diff.data import Diff
from app.tag_moves import Key, value_of
from schemas.times import Millis, to_datetime

PAGE: Final = "diff.html"
_DATA, _USERS = "diff.json", "diff-users.csv"
_COLUMNS: Final = ("user_id", "tag", "old_value", "new_value", "old_since", "new_since")


def encode(diff: Diff) -> bytes:
    """diff.json, with a fixed order of keys: equal comparisons are equal bytes."""
    return msgspec.json.format(msgspec.json.encode(diff, order="deterministic"), indent=2) + b"\n"


def clear(folder: Path) -> None:
    """Make the folder if need be, and remove what is there of an older comparison. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (PAGE, _DATA, _USERS):
        (folder / name).unlink(missing_ok=True)


def write(found: Comparison, folder: Path) -> None:
    """Write all files; the page comes last: where there is one, the others are whole. Raises OSError."""
    with (folder / _USERS).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(_COLUMNS)
        rows.writerows(_users(found))
    (folder / _DATA).write_bytes(encode(found.diff))
    html = _pages().get_template("diff.html.j2").render(report=found.diff, plotly_js=get_plotlyjs())
    (folder / PAGE).write_text(html, encoding="utf-8", newline="\n")


def _users(found: Comparison) -> Iterator[tuple[Any, ...]]:
    """The users whose values differ at the end, by tag."""
    for tag, pairs in found.users.items():
        for user, pair in pairs.differing():
            old, new = _cells(pair.old, pair.old_since), _cells(pair.new, pair.new_since)
            yield user, tag, old[0], new[0], old[1], new[1]


def _cells(key: Key, since: Millis) -> tuple[str, str]:
    """A value, and since when; nothing where there is none."""
    value = value_of(key)
    if value is None:
        return "", ""
    text = value if isinstance(value, str) else key.decode()
    return text, to_datetime(since).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@cache
def _pages() -> Environment:
    return environment(charts=charts, plot_of_value=plot_of_value, step_days=step_days)
