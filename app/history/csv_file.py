"""CSV with the wire's fields as columns: a header, then a record a row; nested fields hold JSON."""

import csv
from collections.abc import Iterator

from app.history.columns import KNOWN, REQUIRED, from_text, require_columns, wire_hint
from app.history.errors import HistoryError
from app.history.lines import MAX_LINE_BYTES, lines
from app.history.rows import Column, record_of
from app.history.source import Raw, Source
from schemas.dead_letter import Rejected


def read_csv(source: Source) -> Iterator[Raw]:
    """Every row that is not blank, by the number of its first line (the header is line 1). An empty cell is absent.

    Raises HistoryError as `lines` does, and for a header without the required columns.
    """
    # ours is the bound (MAX_LINE_BYTES a row): a long cell is a dead letter, not the end of the file
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE_BYTES + 1))
    text = _Text(source)
    rows = _rows(text)
    header = _header(source, rows)
    require_columns(source.path, REQUIRED, header, wire_hint(header))
    columns = [Column(index, name, from_text(name)) for index, name in enumerate(header) if name in KNOWN]
    for number, cells in rows:
        if isinstance(cells, Rejected):
            yield Raw(number, text.row, cells)
        elif len(cells) != len(header):
            why = Rejected("invalid_value", f"{len(cells)} cells in a row, {len(header)} in the header")
            yield Raw(number, text.row, why)
        elif cells:
            yield record_of(number, columns, cells, "")


def _header(source: Source, rows: Iterator[tuple[int, list[str] | Rejected]]) -> list[str]:
    for _, cells in rows:
        if isinstance(cells, Rejected):
            raise HistoryError(f"{source.path}: its first line is no CSV header ({cells.detail})")
        return cells
    raise HistoryError(f"{source.path}: is empty; it needs a header that names the columns {', '.join(REQUIRED)}")


def _rows(text: "_Text") -> Iterator[tuple[int, list[str] | Rejected]]:
    """The cells of each row, or why they cannot be told apart, with the number of the row's first line."""
    reader = csv.reader(text.lines(), strict=True)
    while True:
        text.start_row()
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            text.check_closed(number)
            yield number, Rejected("invalid_value", f"not CSV: {error}")
        else:
            if cells:
                yield number, cells


class _Text:
    """A file's lines as text, which remembers those of the current row."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._row: list[bytes] = []
        self._row_bytes = 0
        self._ended = False

    @property
    def row(self) -> bytes:
        return b"".join(self._row).rstrip(b"\r\n")

    def start_row(self) -> None:
        self._row.clear()
        self._row_bytes = 0

    def check_closed(self, number: int) -> None:
        """An open quote takes in all that follows, so it must not pass for one bad row."""
        if self._ended:
            raise self._not_closed(number)

    def lines(self) -> Iterator[str]:
        for number, line in enumerate(lines(self._source), 1):
            self._row.append(line)
            self._row_bytes += len(line)
            if self._row_bytes > MAX_LINE_BYTES:
                raise self._not_closed(number - len(self._row) + 1)
            # bytes that are not UTF-8 are kept apart from text here, and rejected with their row
            yield line.decode(errors="surrogateescape")
        self._ended = True

    def _not_closed(self, number: int) -> HistoryError:
        return HistoryError(
            f'{self._source.path}: the row at line {number} opens a quote (") that is not closed; mend it'
        )
