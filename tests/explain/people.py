"""Users to be explained: a few events folded, and an explanation of them."""

from collections.abc import Sequence
from pathlib import Path

from agents.limits import DEFAULT_LIMITS, Limits
from agents.partition import Partition
from agents.rules.rulebook import Rulebook
from app.explain.explain import Basis, explain
from app.explain.explanation import Explanation, Tag
from app.explain.known import Known
from app.explain.trail import Trail
from app.explain.written import written
from app.rules_file import load_rules, read_rules
from schemas.events import AnyEvent
from schemas.times import Millis
from tables.table import Table


def known(events: Sequence[AnyEvent], as_of: Millis, book: Rulebook, limits: Limits = DEFAULT_LIMITS) -> Known:
    """What is known of the user `u` at a moment."""
    partition = Partition(0, limits, Table(), rulebook=book)
    trail = Trail()
    for event in sorted((event for event in events if event.ts <= as_of), key=lambda each: each.ts):
        partition.apply(event, event.ts)
        trail.add(event)
    partition.advance(as_of + 1)
    row = partition.table.get("u")
    assert row is not None
    return Known("u", row, as_of, partition.table.changes, trail, "a test")


def explained(
    events: Sequence[AnyEvent], as_of: Millis, path: Path | None = None, *, with_all: bool = False
) -> Explanation:
    """The user `u` at a moment, by the rules of a file."""
    book = load_rules(path)
    return explain(known(events, as_of, book), Basis(book, written(path), DEFAULT_LIMITS), with_all=with_all)


def rules_file(folder: Path, *rules: str) -> Path:
    """A file with these rules, each the lines of one tag."""
    path = folder / "rules.toml"
    path.write_text("\n".join(f"[[tag]]\n{rule}" for rule in rules), encoding="utf-8")
    return path


def tag_of(told: Explanation, name: str) -> Tag:
    """The explanation of one tag."""
    return next(tag for tag in told.tags if tag.name == name)


def book_of(*rules: str) -> Rulebook:
    """A rulebook with these rules beside the built-in ones."""
    return read_rules("\n".join(f"[[tag]]\n{rule}" for rule in rules).encode())
