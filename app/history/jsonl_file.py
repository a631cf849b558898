"""JSON Lines: a record a line, as on the wire; packed by gzip or not."""

from collections.abc import Iterator

from app.history.lines import lines
from app.history.source import Raw, Source


def read_jsonl(source: Source) -> Iterator[Raw]:
    """Every line that is not blank, by its number.

    Raises HistoryError as `lines` does.
    """
    for number, line in enumerate(lines(source), 1):
        payload = line.strip()
        if payload:
            yield Raw(number, payload)
