"""The wire's fields as the columns of a table: which there are, and what a cell of text means in each."""

import re
from collections.abc import Callable, Collection, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from app.history.errors import HistoryError
from app.printable import printable
from schemas.events import TYPE_OF

REQUIRED: Final = ("type", "event_id", "user_id", "ts")
INTEGERS: Final = frozenset({"ts", "quantity", "ttl_ms"})
AMOUNTS: Final = frozenset({"price", "total", "discount", "cost"})
NESTED: Final = frozenset({"items", "attributes", "reachable", "consent"})
SCALAR: Final = "value"
KNOWN: Final = frozenset(REQUIRED).union(field.name for kind in TYPE_OF for field in msgspec.structs.fields(kind))
TEXTS: Final = KNOWN - INTEGERS - AMOUNTS - NESTED - {SCALAR}

Convert: TypeAlias = Callable[[Any], Any]

_INTEGER_LENGTH: Final = 18
_DECIMAL: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SHOWN: Final = 20
_SHOWN_LENGTH: Final = 40


def require_columns(path: Path, wanted: Sequence[str], found: Sequence[str], hint: str = "") -> None:
    """Nothing, if every wanted column is there once.

    Raises HistoryError that names what is missing, what is there, and what may have been meant.
    """
    missing = [name for name in wanted if name not in found]
    if missing:
        why = hint or _renames(missing, found)
        raise HistoryError(f"{path}: has no column {_shown(missing)}{why}; its columns are {_shown(found)}")
    twice = sorted({name for name in found if name in KNOWN and found.count(name) > 1})
    if twice:
        raise HistoryError(f"{path}: the column {_shown(twice)} is there more than once; keep one of each")


def wire_hint(found: Collection[str]) -> str:
    """What a table without the wire's columns may be instead."""
    if "InvoiceNo" in found:
        return " (is this the Online Retail data? add --format online-retail)"
    if len(found) == 1 and any(mark in next(iter(found)) for mark in ";\t|"):
        return " (put commas between the columns)"
    return ""


def from_text(name: str) -> Convert | None:
    """What turns a text cell of this column into what goes on the wire; None: it stays as it is.

    Text that means nothing there also stays as it is, so that the decoder rejects it by name.

    >>> from_text("price")("12.50"), from_text("price")("cheap"), from_text("ts")("1291161600000")
    (12.5, 'cheap', 1291161600000)
    >>> bytes(from_text("value")("true")), from_text("value")("gold")
    (b'true', 'gold')
    """
    if name in INTEGERS:
        return _integer
    if name in AMOUNTS:
        return _number
    return _json if name in NESTED or name == SCALAR else None


def _integer(text: str) -> int | float | str:
    number = _number(text)
    # dataframe tools make floats of whole numbers as soon as one cell of the column is empty
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _number(text: str) -> int | float | str:
    if text.isdecimal() and text.isascii() and len(text) <= _INTEGER_LENGTH:
        return int(text)
    if _DECIMAL.fullmatch(text) and abs(number := float(text)) != float("inf"):
        return number
    return text


def _json(text: str) -> msgspec.Raw | str:
    """Checked before it is put into the record, or a cell could bring fields of its own."""
    try:
        msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return text
    return msgspec.Raw(text.encode())


def _renames(missing: Sequence[str], found: Sequence[str]) -> str:
    by_lower = {name.lower(): name for name in found if name not in KNOWN}
    near = {name: get_close_matches(name.lower(), by_lower, n=1) for name in missing}
    renames = [f"{_shown([by_lower[match]])} to `{name}`" for name, matches in near.items() for match in matches]
    return f" (rename {' and '.join(renames)}?)" if renames else ""


def _shown(names: Sequence[str]) -> str:
    """Some names, made fit for one line of a terminal whatever the file has in them."""
    short = [name[:_SHOWN_LENGTH].encode(errors="replace").decode() for name in names[:_SHOWN]]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(f"`{printable(name, instead='?')}`" for name in short) + more
