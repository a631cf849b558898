"""The trail of a user: the newest events of each kind, the first ones, and how many there were. Bounded in size."""

from bisect import insort
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias

from schemas.events import TYPE_OF, AnyEvent, Cart, Click, Message, Order, OrderKey, Profile, Tag, order_key

NEWEST: Final = 5
"""So many events of each kind are kept."""

_Entry: TypeAlias = tuple[OrderKey, AnyEvent]


class Mark(NamedTuple):
    """What kind of event it is: its type, what was done, and which other things it tells (category, coupon, ...)."""

    type: str
    what: str
    told: frozenset[str]
    is_activity: bool


Chooses: TypeAlias = Callable[[Mark], bool]


class Behind(NamedTuple):
    """Which events are behind something: those of some kinds, or only the first one of them."""

    chooses: Chooses
    only_first: bool = False


class Found(NamedTuple):
    """Events, the newest first, and how many more there were."""

    events: list[AnyEvent]
    more: int


class _Kept:
    """The events of one mark."""

    def __init__(self, first: _Entry) -> None:
        self.count = 0
        self.first = first
        self.newest: list[_Entry] = []

    def add(self, entry: _Entry) -> None:
        self.count += 1
        self.first = min(self.first, entry, key=itemgetter(0))
        insort(self.newest, entry, key=itemgetter(0))
        del self.newest[:-NEWEST]


class Trail:
    """Events of one user, in any order; copies are the caller's business."""

    def __init__(self) -> None:
        self._kept: dict[Mark, _Kept] = {}

    def add(self, event: AnyEvent) -> None:
        """Take in an event; all that came before an erasure is forgotten."""
        if isinstance(event, Profile) and event.kind == "erased":
            self._kept.clear()
            return
        entry = (order_key(event), event)
        self._kept.setdefault(mark_of(event), _Kept(entry)).add(entry)

    def behind(self, wanted: Iterable[Behind]) -> Found:
        """The events behind something: at most NEWEST, and how many more there were."""
        firsts: dict[OrderKey, AnyEvent] = {}
        chosen: set[Mark] = set()
        for each in wanted:
            marks = {mark for mark in self._kept if each.chooses(mark)}
            if not each.only_first:
                chosen |= marks
            elif marks:
                key, event = min((self._kept[mark].first for mark in marks), key=itemgetter(0))
                firsts[key] = event
        return self._found(firsts, chosen)

    def _found(self, firsts: dict[OrderKey, AnyEvent], chosen: set[Mark]) -> Found:
        newest = sorted(
            (entry for mark in chosen for entry in self._kept[mark].newest), key=itemgetter(0), reverse=True
        )
        shown = dict(firsts)
        for key, event in newest:
            if len(shown) < NEWEST:
                shown[key] = event
        among = sum(mark_of(event) in chosen for event in shown.values())
        count = sum(self._kept[mark].count for mark in chosen)
        return Found([shown[key] for key in sorted(shown, reverse=True)], count - among)


def mark_of(event: AnyEvent) -> Mark:
    """What kind of event it is.

    >>> mark_of(Cart(event_id="e", user_id="u", ts=1, item_id="i", brand="b")).told
    frozenset({'brand'})
    """
    return Mark(TYPE_OF[type(event)], _what(event), frozenset(_told(event)), event.is_activity)


def _what(event: AnyEvent) -> str:
    match event:
        case Click():
            return event.action or "view"
        case Cart():
            return event.action or "add"
        case Order():
            return event.status or "paid"
        case Tag():
            return event.tag
        case Profile() | Message():
            return event.kind or "updated"


def _told(event: AnyEvent) -> Iterable[str]:
    if isinstance(event, Profile):
        return (name for name in ("attributes", "reachable", "consent") if getattr(event, name))
    things = [event, *(event.items or ())] if isinstance(event, Order) else [event]
    names = ("category", "brand", "price", "channel", "coupon_id")
    return (name for name in names if any(getattr(thing, name, None) not in (None, "") for thing in things))
