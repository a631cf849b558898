"""The histories that the demo can replay: a year of real orders, a generated one, or the user's own."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from app.demo.generated import generated_events
from app.demo.profiles import with_profiles
from app.demo.simulated import with_sessions
from app.history.errors import HistoryError
from app.history.formats import FileFormat
from app.history.history import MAX_AHEAD_MS, History
from schemas.events import AnyEvent
from schemas.times import Millis

PUBLISHED: Final = Path("shared") / "data" / "online_retail.parquet"
ONLINE_RETAIL_LABEL: Final = (
    "UCI Online Retail, a year of real orders; all else is simulated: clicks, carts, consent, messages"
)
GENERATED_LABEL: Final = f"a generated history: {Path('..') / PUBLISHED} is not here"


class Telling(NamedTuple):
    """A history that was read: its events as a replay takes them, how many, and the times of the first and the last."""

    events: History | Sequence[AnyEvent]
    total: int
    first_ts: Millis
    last_ts: Millis


class Story(NamedTuple):
    """A history to tell. `label` says to people where it is from; `read` takes a while, and raises HistoryError."""

    label: str
    read: Callable[[], Telling]


def published_history() -> Path | None:
    """The UCI Online Retail file, beside the repository or beside the working folder."""
    beside = (Path(__file__).parents[3], Path.cwd().parent)
    return next((path for folder in beside if (path := folder / PUBLISHED).is_file()), None)


def shop_story() -> Story:
    """The year of real orders if it is here, else a generated one."""
    path = published_history()
    if path is None:
        return Story(GENERATED_LABEL, lambda: _telling([*with_profiles(generated_events(), "generated")]))
    return Story(ONLINE_RETAIL_LABEL, lambda: online_retail(path))


def online_retail(path: Path) -> Telling:
    """The orders as a backtest reads them, with simulated clicks and carts around them, and simulated profiles.

    Raises HistoryError.
    """
    orders = list(_history([path], FileFormat.ONLINE_RETAIL, MAX_AHEAD_MS))
    if not orders:
        raise HistoryError(f"{path}: holds no orders; get a whole copy")
    events = with_sessions(orders, until=orders[-1].ts)
    return _telling([*with_profiles(events, "simulated")])


def own_story(files: Sequence[Path], file_format: FileFormat, max_ahead_ms: Millis = MAX_AHEAD_MS) -> Story:
    """The user's own history; it is never held in memory, but read twice.

    Raises HistoryError for files that are not there or of no known format.
    """
    history = _history(files, file_format, max_ahead_ms)
    return Story(", ".join(source.name for source in history.files), lambda: _measured(history))


def _history(files: Sequence[Path], file_format: FileFormat, max_ahead_ms: Millis) -> History:
    return History(files, dead_letters=lambda _: None, file_format=file_format, max_ahead_ms=max_ahead_ms)


def _measured(history: History) -> Telling:
    """A first pass, for the length of the history: how fast to replay depends on it."""
    for _ in history:
        pass
    if history.first_ts is None or history.last_ts is None:
        names = ", ".join(source.name for source in history.files)
        why = "rekindle backtest says what is wrong with each" if history.dead else "they hold none"
        raise HistoryError(f"no event could be read from {names}: {why}")
    return Telling(history, history.events, history.first_ts, history.last_ts)


def _telling(events: Sequence[AnyEvent]) -> Telling:
    return Telling(events, len(events), events[0].ts, events[-1].ts)
