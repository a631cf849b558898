"""The tags that rules give a user, and what was said of them lately."""

from bisect import bisect_right
from collections.abc import Iterator, MutableMapping
from operator import attrgetter
from typing import Any, Final, TypeAlias

from msgspec import Struct, msgpack

from schemas.events import Scalar
from schemas.times import DAY_MS, Millis
from tables.said import Said

UNSAID: Final = 0
_AT: Final = attrgetter("at")
_DAY: Final = attrgetter("day")


class Answer(Struct, array_like=True, frozen=True, gc=False):
    """What a rule finds, its time to live left aside, since a UTC day (days since the epoch) at the end of each."""

    day: int
    value: Scalar


class RuleTag(Struct, array_like=True, gc=False):
    """One rule's tag: what was said of it, oldest first, and by which version of the rule.

    The last entry tells the value and since when it holds; the entries before it are kept while a late event may prove
    them wrong, and one more, which tells the value before them. `answers`: of a rule with a time to live, the days on
    which its answer changed, as far back; the last one is as of the last look.
    """

    said: list[Said[Scalar]] = []
    version: int = 0
    answers: list[Answer] = []

    @property
    def value(self) -> Scalar:
        """What the rule says now."""
        return self.said[-1].to if self.said else None

    @property
    def ended(self) -> Scalar:
        """The value whose time to live is over, as long as the rule says no other."""
        return self.answers[-1].value if self.answers and self.value is None else None

    def turn(self, at: Millis, value: Scalar, sequence: int) -> None:
        """Take another value."""
        self.said.append(Said(at, self.value, value, sequence))

    def value_at(self, moment: Millis) -> Scalar:
        """What the rule said at a moment.

        >>> RuleTag([Said(5, None, "new", 1), Said(9, "new", "core", 2)]).value_at(8)
        'new'
        """
        place = bisect_right(self.said, moment, key=_AT)
        if place:
            return self.said[place - 1].to
        return self.said[0].from_ if self.said else None

    def forget_settled(self, horizon: Millis) -> None:
        """Drop what no late event can prove wrong any more: all before the last entry at or before the horizon."""
        if len(self.said) > 1:
            place = bisect_right(self.said, horizon, key=_AT)
            del self.said[: max(place - 1, 0)]
        if len(self.answers) > 1:
            place = bisect_right(self.answers, horizon // DAY_MS, key=_DAY)
            del self.answers[: max(place - 1, 0)]


PackedRuleTags: TypeAlias = dict[str, bytes]
"""By the rule's name; a rule that never said anything is not here."""

_PACK: Final = msgpack.Encoder().encode
_UNPACK: Final = msgpack.Decoder(RuleTag).decode


class RuleTags(MutableMapping[str, RuleTag]):
    """By the rule's name, each unpacked when it is asked for: who changes one sets it again.

    A look reads a few of them and changes fewer, and rows are written more often than that: so they stay packed.
    """

    __slots__ = ("_packed",)

    def __init__(self, packed: PackedRuleTags) -> None:
        self._packed = packed

    def __getitem__(self, name: str) -> RuleTag:
        """Unpack one."""
        return _UNPACK(self._packed[name])

    def get(self, name: str, default: Any = None) -> Any:
        """Unpack one, if there is one."""
        packed = self._packed.get(name)
        return default if packed is None else _UNPACK(packed)

    def __setitem__(self, name: str, tag: RuleTag) -> None:
        """Pack one."""
        self._packed[name] = _PACK(tag)

    def __delitem__(self, name: str) -> None:
        """Forget one."""
        del self._packed[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)
