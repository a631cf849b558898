"""Structs from what a file says, with all mistakes at once; msgspec alone stops at the first.

What does not fit is told by the description of the field: "`ttl` must be a length of time, not 5".
"""

from collections.abc import Iterable
from math import isfinite
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from agents.rules.mistake import KeyPath, Mistake, nearest, shown


class Checker:
    """Turns values into structs. What is wrong becomes UNSET, and is told in `mistakes`."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def checked(self, kind: Any, value: Any, path: KeyPath) -> Any:
        """The value as one of that kind: a struct, a list or a table of kinds, or anything that msgspec converts."""
        kind, metas = _plain(kind)
        origin, items = get_origin(kind), get_args(kind)
        if isinstance(kind, type) and issubclass(kind, Struct):
            is_list = kind.__struct_config__.array_like
            return self._words(kind, value, path) if is_list else self._table(kind, value, path)
        if origin is list:
            return self._list(items[0], metas, value, path)
        if origin is dict:
            return self._map(items[1], value, path)
        if origin is Literal and value not in items:
            near = nearest(value, items) if isinstance(value, str) else None
            return self._told(path, f"one of {', '.join(items)}", value, near)
        return self._leaf(kind, metas, value, path)

    def _table(self, kind: type[Struct], value: Any, path: KeyPath) -> Any:
        if not isinstance(value, dict):
            return self._told(path, "a table", value)
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        for name in value:
            if name not in fields:
                self._unknown(name, value[name], fields, path)
        found = {
            field.name: self.checked(field.type, value[name], (*path, name))
            for name, field in fields.items()
            if name in value
        }
        missing = [name for name, field in fields.items() if field.required and name not in value]
        self.mistakes += [Mistake(path, f"`{name}` is missing here", at_key=True) for name in missing]
        is_whole = all(found.get(field.name, UNSET) is not UNSET for field in fields.values() if field.required)
        return kind(**{name: each for name, each in found.items() if each is not UNSET}) if is_whole else UNSET

    def _unknown(self, name: str, value: Any, names: Iterable[str], path: KeyPath) -> None:
        is_table = isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))
        text = f"there is no {'table' if is_table else 'key'} {shown(name)} here"
        self.mistakes.append(Mistake((*path, name), text, nearest(name, names), at_key=True))

    def _words(self, kind: type[Struct], value: Any, path: KeyPath) -> Any:
        """A struct that is written as a list: so many values at the most, each of its own kind."""
        fields = msgspec.structs.fields(kind)
        if not isinstance(value, list) or len(value) > len(fields):
            return self._told(path, f"a list of {', '.join(field.name for field in fields)}", value)
        found = [
            self.checked(field.type, each, (*path, place))
            for place, (field, each) in enumerate(zip(fields, value, strict=False))
        ]
        return UNSET if UNSET in found else kind(*found)

    def _list(self, kind: Any, metas: list[Meta], value: Any, path: KeyPath) -> Any:
        if not isinstance(value, list) or not _has_right_length(value, metas):
            return self._told(path, _description(metas) or "a list", value)
        found = [self.checked(kind, each, (*path, place)) for place, each in enumerate(value)]
        return UNSET if UNSET in found else found

    def _map(self, kind: Any, value: Any, path: KeyPath) -> Any:
        if not isinstance(value, dict):
            return self._told(path, "a table", value)
        found = {name: self.checked(kind, each, (*path, name)) for name, each in value.items()}
        return {name: each for name, each in found.items() if each is not UNSET}

    def _leaf(self, kind: Any, metas: list[Meta], value: Any, path: KeyPath) -> Any:
        try:
            found = msgspec.convert(value, Annotated[kind, *metas] if metas else kind)
        except msgspec.ValidationError:
            return self._told(path, _description(metas), value)
        if isinstance(found, float) and not isfinite(found):
            return self._told(path, _description(metas), value)
        return found

    def _told(self, path: KeyPath, expected: str, value: Any, near: str | None = None) -> UnsetType:
        name = next((key for key in reversed(path) if isinstance(key, str)), "the file")
        self.mistakes.append(Mistake(path, f"`{name}` must be {expected}, not {shown(value)}", near))
        return UNSET


def _plain(kind: Any) -> tuple[Any, list[Meta]]:
    """A kind without its annotations and without UNSET; and the annotations."""
    metas: list[Meta] = []
    while True:
        if get_origin(kind) is Annotated:
            kind, *more = get_args(kind)
            metas = [*more, *metas]
        elif UnsetType in get_args(kind):
            (kind,) = (each for each in get_args(kind) if each is not UnsetType)
        else:
            return kind, metas


def _description(metas: list[Meta]) -> str:
    return next((meta.description for meta in reversed(metas) if meta.description), "")


def _has_right_length(value: list[Any], metas: list[Meta]) -> bool:
    return all((meta.min_length or 0) <= len(value) <= (meta.max_length or len(value)) for meta in metas)
