"""Dead letters for people: a table, and how many there are of each kind."""

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.dead_letters.letter import Letter
from app.dead_letters.state import State
from schemas.times import to_datetime


def show(console: Console, letters: Sequence[tuple[Letter, State]], *, with_payload: bool) -> None:
    """Print a row for each letter."""
    table = Table(
        "when (UTC), place", "reason, state", "detail, payload" if with_payload else "detail", show_lines=True
    )
    for column in table.columns[:2]:
        column.no_wrap = True
    table.columns[2].overflow = "fold"
    for letter, state in letters:
        when = f"{to_datetime(letter.at):%Y-%m-%d %H:%M:%S}"
        detail = f"{visible(letter.detail)} ({letter.size:,} bytes)"
        payload = visible(letter.payload.decode(errors="backslashreplace"))
        table.add_row(
            Text(f"{when}\n{visible(str(letter.place))}"),
            Text(f"{letter.reason}\n{state.value}"),
            Text(f"{detail}\n{payload}" if with_payload else detail),
        )
    console.print(table)


def summary(letters: Sequence[tuple[Letter, State]]) -> str:
    """How many letters there are, by reason and by state."""
    reasons = Counter(str(letter.reason) for letter, _ in letters)
    states = Counter(state.value for _, state in letters)
    number = "1 dead letter" if len(letters) == 1 else f"{len(letters):,} dead letters"
    return f"{number}: {counted(reasons)}; {counted(states)}"


def counted(numbers: Mapping[str, int]) -> str:
    """Counts in one line.

    >>> counted({"wrong_topic": 1, "invalid_json": 1200})
    'invalid_json 1,200, wrong_topic 1'
    """
    return ", ".join(f"{what} {number:,}" for what, number in sorted(numbers.items()))


def visible(text: str) -> str:
    r"""A text in which nothing acts on a terminal.

    >>> visible("a\x1b[31m\nb\u202e")
    'a\\x1b[31m\\nb\\u202e'
    """
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
