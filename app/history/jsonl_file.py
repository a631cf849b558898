"""JSON Lines: a record a line, as on the wire; packed by gzip or not."""

from collections.abc import Iterator

from app.history.lines import lines
from app.history.source import Raw, Source


def read_jsonl(source: Source) -> Iterator[Raw]:
    """Every line by its number, a blank one too: it is an empty record, and will be a dead letter.

    Raises HistoryError as `lines` does.
    """
    for number, line in enumerate(lines(source), 1):
        yield Raw(number, line.strip())
