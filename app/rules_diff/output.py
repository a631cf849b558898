"""The files of a comparison: diff.html for people, diff.json for machines, and two lists for a second look.

diff-users.csv names the users whose tags differ, diff-triggers.csv the triggers that do.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from jinja2 import Environment
from plotly.offline import get_plotlyjs

from app import charts
from app.ledger import money
from app.pages import environment
from app.rules_diff.charts import plot_of_triggers, plot_of_value, step_days
from app.rules_diff.compare import Comparison
from app.rules_diff.data import Diff
from app.rules_diff.firings import Fired, matches
from app.rules_diff.wording import decision_of, way_of
from app.tag_moves import Key, value_of
from schemas.times import Millis, to_datetime

PAGE: Final = "diff.html"
_DATA, _USERS, _TRIGGERS = "diff.json", "diff-users.csv", "diff-triggers.csv"
_COLUMNS: Final = ("user_id", "tag", "old_value", "new_value", "old_since", "new_since")
_TRIGGER_COLUMNS: Final = (
    *("user_id", "campaign", "old_at", "new_at"),
    *("old_channel", "new_channel", "old_variant", "new_variant"),
)


def encode(diff: Diff) -> bytes:
    """diff.json, with a fixed order of keys: equal comparisons are equal bytes."""
    return msgspec.json.format(msgspec.json.encode(diff, order="deterministic"), indent=2) + b"\n"


def clear(folder: Path) -> None:
    """Make the folder if need be, and remove what is there of an older comparison. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (PAGE, _DATA, _USERS, _TRIGGERS):
        (folder / name).unlink(missing_ok=True)


def write(found: Comparison, folder: Path) -> None:
    """Write all files; the page comes last: where there is one, the others are whole. Raises OSError."""
    _write_rows(folder / _USERS, _COLUMNS, _users(found))
    _write_rows(folder / _TRIGGERS, _TRIGGER_COLUMNS, _triggers(found))
    (folder / _DATA).write_bytes(encode(found.diff))
    html = _pages().get_template("diff.html.j2").render(report=found.diff, plotly_js=get_plotlyjs())
    (folder / PAGE).write_text(html, encoding="utf-8", newline="\n")


def _write_rows(path: Path, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


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
    return value if isinstance(value, str) else key.decode(), _instant(since)


def _triggers(found: Comparison) -> Iterator[tuple[Any, ...]]:
    """The triggers that only one side has, and those that go another way, by campaign, user and day."""
    for campaign, (of_old, of_new) in found.firings.items():
        for old, new in matches(of_old, of_new):
            either = old or new
            if either is not None and not (old is not None and new is not None and old.is_like(new)):
                cells = zip(_trigger_cells(old), _trigger_cells(new), strict=True)
                yield either.user_id, campaign, *(cell for pair in cells for cell in pair)


def _trigger_cells(fired: Fired | None) -> tuple[str, str, str]:
    return ("", "", "") if fired is None else (_instant(fired.at), fired.channel, fired.variant or "")


def _instant(ts: Millis) -> str:
    return to_datetime(ts).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@cache
def _pages() -> Environment:
    return environment(
        charts=charts,
        plot_of_value=plot_of_value,
        plot_of_triggers=plot_of_triggers,
        step_days=step_days,
        money=money,
        way_of=way_of,
        decision_of=decision_of,
    )
