"""What a cell that has a type of its own becomes on the wire: numbers, lists, structs."""

from datetime import date
from decimal import Decimal
from functools import partial
from math import isfinite
from typing import Any

from app.history.columns import INTEGERS, Convert
from schemas.dead_letter import Rejected


def from_number(name: str) -> Convert:
    """What takes a column's numbers as they are: whole ones as integers where the wire has integers.

    It raises Rejected for NaN and infinities, which JSON would turn into null, that is into an absent field.

    >>> from_number("quantity")(2.0), from_number("price")(2.0)
    (2, 2.0)
    """
    return partial(_number, name)


def from_nested(name: str) -> Convert:
    """What makes JSON of lists and structs, without the fields that are null; it raises Rejected for what JSON lacks.

    >>> from_nested("items")([{"item_id": "a", "quantity": None}])
    [{'item_id': 'a'}]
    """
    return partial(_nested, name, name)


def _number(name: str, value: float | Decimal) -> int | float:
    return _finite(name, name, float(value))


def _finite(path: str, name: str, number: float) -> int | float:
    if not isfinite(number):
        raise Rejected("invalid_value", f"`{path}`: {number} is no number that can be used")
    return int(number) if name in INTEGERS and number.is_integer() else number


def _nested(path: str, name: str, value: Any) -> Any:
    match value:
        case dict():
            there = {key: inner for key, inner in value.items() if inner is not None}
            return {key: _nested(f"{path}.{key}", key, inner) for key, inner in there.items()}
        case list() | tuple():
            return [_nested(f"{path}[...]", name, inner) for inner in value]
        case float() | Decimal():
            return _finite(path, name, float(value))
        case date():
            return value.isoformat()
        case None | bool() | int() | str():
            return value
        case _:
            raise Rejected("invalid_value", f"`{path}`: {type(value).__name__} has no form in JSON")
