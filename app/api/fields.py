"""The fields of an export: what is told of a user."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple

from agents.rules.mistake import nearest
from schemas.changes import TagName
from schemas.events import Scalar, UserId
from schemas.money import CENTS
from tables import codec
from tables.labels import glance
from tables.row import Registers, Row

USUAL: Final = ("user_id", "tags")
_TAG: Final = "tag."
_ATTRIBUTE: Final = "attribute."


class Told:
    """One user; what is not asked for is not decoded."""

    def __init__(self, user_id: UserId, encoded: bytes) -> None:
        self.user_id = user_id
        self._encoded = encoded

    @cached_property
    def tags(self) -> Mapping[TagName, Scalar]:
        """All tags that have a value, as of the last that was said."""
        return glance(self._encoded).values

    @cached_property
    def row(self) -> Row:
        """All that is known."""
        return codec.decode(self._encoded)

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """The newest words on attributes."""
        return _words(self.row.attributes)


class Field(NamedTuple):
    """A column, and what is in it."""

    name: str
    value: Callable[[Told], Any]


_FIELDS: Final[Mapping[str, Callable[[Told], Any]]] = {
    "user_id": lambda user: user.user_id,
    "tags": lambda user: dict(sorted(user.tags.items())),
    "attributes": lambda user: dict(sorted(user.attributes.items())),
    "consent": lambda user: _words(user.row.consent),
    "reachable": lambda user: None if user.row.reachable is None else user.row.reachable.value,
    "first_activity": lambda user: None if user.row.first is None else user.row.first.ts,
    "last_activity": lambda user: None if user.row.lifecycle.first is None else user.row.lifecycle.last,
    "orders": lambda user: user.row.totals.orders,
    "spend": lambda user: user.row.totals.spend / CENTS,
    "p_inactive": lambda user: None if user.row.score is None else user.row.score.p_inactive,
}


def fields_of(names: Sequence[str]) -> list[Field]:
    """The fields of these names, each once; the usual ones where none is named. Raises ValueError for another name."""
    return [Field(name, _value(name)) for name in dict.fromkeys(names or USUAL)]


def _value(name: str) -> Callable[[Told], Any]:
    if name.startswith(_TAG):
        return lambda user: user.tags.get(name.removeprefix(_TAG))
    if name.startswith(_ATTRIBUTE):
        return lambda user: user.attributes.get(name.removeprefix(_ATTRIBUTE))
    if name not in _FIELDS:
        near = nearest(name, _FIELDS)
        meant = f"did you mean {near}?" if near else f"there are {', '.join(_FIELDS)}, tag.NAME, attribute.NAME"
        raise ValueError(f"there is no field {name!r}; {meant}")
    return _FIELDS[name]


def _words(registers: Registers) -> dict[str, Any]:
    return {name: word.value for name, word in registers.items()}
