"""From a table's row to a record as it would be on the wire."""

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from app.history.columns import Convert
from app.history.source import Raw
from schemas.dead_letter import Rejected

_ENCODER: Final = msgspec.json.Encoder()


class Column(NamedTuple):
    """A column that the wire knows: its place in a row, its name, and what becomes of its cells."""

    place: int
    name: str
    convert: Convert | None


def record_of(offset: int, columns: Sequence[Column], cells: Sequence[Any], absent: Any) -> Raw:
    """The record of a row, without the fields whose cell is `absent`.

    A cell that no JSON can say (NaN, bytes, broken UTF-8) makes the record a rejected one.
    """
    try:
        payload = _ENCODER.encode(
            {
                name: cells[place] if convert is None else convert(cells[place])
                for place, name, convert in columns
                if cells[place] != absent
            }
        )
    except Rejected as why:
        return Raw(offset, _as_seen(columns, cells, absent), why)
    except UnicodeEncodeError:
        return Raw(offset, _as_seen(columns, cells, absent), Rejected("invalid_json", "not UTF-8"))
    return Raw(offset, payload)


def _as_seen(columns: Sequence[Column], cells: Sequence[Any], absent: Any) -> bytes:
    """The row for people to look at: Python's own encoder writes NaN as NaN, where msgspec would write null."""
    row = {name: cells[place] for place, name, _ in columns if cells[place] != absent}
    return json.dumps(row, default=str, ensure_ascii=False).encode(errors="surrogateescape")
