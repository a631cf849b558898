"""What a person sees of a comparison in the terminal."""

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.printable import printable
from app.rules_diff.data import Book, Diff, TagDiff
from app.wording import counted, day, value


def show(diff: Diff) -> None:
    """Print who would gain or lose which tag, and when that begins."""
    console = Console(highlight=False)
    console.print(_heading(diff), markup=False, soft_wrap=True)
    different = {name: tag for name, tag in diff.tags.items() if tag.differs}
    if different:
        console.print(_tags(different), _values(different), sep="\n")
    for line in _remarks(diff, bool(different)):
        console.print(line, markup=False, soft_wrap=True)


def _heading(diff: Diff) -> str:
    history = diff.history
    events = f"{counted(sum(history.events.values()), 'event')} of {counted(diff.users, 'user')}"
    if history.first_ts is not None and history.until is not None:
        events += f", {day(history.first_ts)} to {day(history.until)}"
    return f"old: {_book(diff.old)}; new: {_book(diff.new)}; {events}"


def _book(book: Book) -> str:
    return f"{printable(book.name)} (version {book.version}, {counted(book.rules, 'rule')})"


def _tags(tags: dict[str, TagDiff]) -> Table:
    """A line for each tag: users with any value, and the first day that differs."""
    table = _table("users by tag", "old", "new", "both", "gained", "lost", "moved", "differs from")
    for name, tag in tags.items():
        counts = (tag.old, tag.new, tag.both, tag.gained, tag.lost, tag.moved)
        table.add_row(Text(printable(name)), *map(_count, counts), str(tag.first_day or "within a day"))
    return table


def _values(tags: dict[str, TagDiff]) -> Table:
    """A line for each value of each tag: users, and how often it is said that one has it."""
    table = _table("users by value", "old", "new", "both", "gained", "lost", "said: old", "new")
    for name, tag in tags.items():
        table.add_row(Text(printable(name), "bold"))
        for each in tag.values:
            counts = (each.old, each.new, each.both, each.gained, each.lost, each.old_changes, each.new_changes)
            table.add_row(Text(f"  {printable(value(each.value))}"), *map(_count, counts))
    return table


def _table(*names: str) -> Table:
    table = Table(*names, box=SIMPLE_HEAD, pad_edge=False)
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    table.columns[0].overflow = "fold"
    return table


def _count(count: int) -> str:
    return f"{count:,}" if count else ""


def _remarks(diff: Diff, differs: bool) -> Iterator[str]:  # noqa: FBT001  a remark on whether
    if not differs:
        yield "nobody would gain or lose a tag: for the users of this history the rules come to the same"
    if alike := [printable(name) for name, tag in diff.tags.items() if not tag.differs]:
        yield f"other rules, but the same for every user: {', '.join(alike)}"
    yield f"the same in both: {counted(len(diff.same), 'rule')}"
