"""The portrait as it is, and as it was before each of the last days on which something was done.

```
day          .. 3      4      5      6      7
actions         a a    .      a      .      a
kept         before 3         before 5      before 7      now
```

As of midnight 4, what was known is what is kept as before 5. What comes late is counted into all that is kept as later;
where it is the first of its day, what was known before that day is what was known before the next.

The newest actions are a log, as that costs a click the least; some at a time, or when somebody wants to know, they
are counted.
"""

from operator import attrgetter
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct, field

from schemas.times import DAY_MS, NEVER, Millis
from tables.action import Action, Actions
from tables.packed import Packed
from tables.portrait import Portrait

RECENT_DAYS: Final = 7
"""Midnights up to so many days before the newest day can be asked for."""
MAX_LOG: Final = 15
"""So many actions are counted at a time."""
MAX_BYTES: Final = 12_288
"""Of a portrait that takes more, FEW_VALUES of a dimension stay."""
FEW_VALUES: Final = 4
MAX_KEPT_BYTES: Final = 20_480
"""Of those kept that take more together, the oldest are dropped: before them, what is known is as before the next."""
_TIME: Final = attrgetter("ts")
_PACK: Final = msgspec.msgpack.Encoder().encode
_ACTIONS: Final = msgspec.msgpack.Decoder(Actions).decode
_PORTRAIT: Final = msgspec.msgpack.Decoder(Portrait).decode


KeptDays: TypeAlias = dict[int, bytes]
"""The portrait before a UTC day (of days since the epoch), packed, by the day, oldest first."""


class Portraits(Struct, array_like=True, gc=False):
    """The log (of so many actions as `logged`), what was counted before it, and what is kept of that, oldest first.

    `today`: the newest day of what was counted; `added`: the number of all actions; `done`: how often what was done.
    """

    log: bytes = b""
    logged: int = 0
    packed_counted: bytes | None = None
    today: int = -1
    kept: KeptDays = field(default_factory=dict)
    added: int = 0
    done: dict[int, int] = field(default_factory=dict)

    counted = Packed[Portrait](Portrait, Portrait)

    def add(self, action: Action) -> None:
        """Remember an action."""
        if (done := action.done) is not None:
            self.done[done] = self.done.get(done, 0) + 1
        self.log += _PACK(action)
        self.logged += 1
        self.added += 1
        if self.logged >= MAX_LOG:
            self.count()

    @property
    def actions(self) -> Actions:
        """The log, in order of time."""
        return sorted(_ACTIONS(bytes((0x90 | self.logged,)) + self.log), key=_TIME)

    def before(self, midnight: Millis) -> Portrait:
        """What was known of the days before a midnight; NEVER: what is known now."""
        kept = None
        if midnight != NEVER:
            kept = next((packed for day, packed in self.kept.items() if day * DAY_MS >= midnight), None)
        portrait = self.counted if kept is None else _PORTRAIT(kept)
        for action in self.actions:
            if action.ts < midnight:
                portrait.add(action)
        return portrait

    def count(self) -> Portrait:
        """Count what is in the log; gives what is known now."""
        counted = self.counted
        if not self.logged:
            return counted
        actions, today = self.actions, self.today
        newest = actions[-1].ts // DAY_MS
        if actions[0].ts // DAY_MS == today == newest:
            for action in actions:
                counted.add(action)
        else:
            self.today = max(today, newest)
            self._count_days(actions, counted, today)
        counted.make_room()
        self.log, self.logged, self.counted = b"", 0, counted
        if len(self.packed_counted or b"") > MAX_BYTES:
            counted.make_room(FEW_VALUES, FEW_VALUES)
            self.counted = counted
        return counted

    def _count_days(self, actions: Actions, counted: Portrait, today: int) -> None:
        oldest, kept = self.today - RECENT_DAYS, self.kept
        if next(iter(kept), oldest) < oldest:
            kept = {day: packed for day, packed in kept.items() if day >= oldest}
        packed = self.packed_counted  # as it is until an action is counted
        for action in actions:
            day = action.ts // DAY_MS
            if day > today:
                today = day
                if day >= oldest:
                    kept[day] = packed or _PACK(counted)
            elif day < today:
                kept = _amended(kept, day, action, oldest)
            counted.add(action)
            packed = None
        self.kept = _not_too_large(kept)


def _amended(kept: KeptDays, day: int, late: Action, oldest: int) -> KeptDays:
    """What is kept, with a late action of a day counted in it."""
    following = next((each for each in kept if each >= day), day)
    if following > day >= oldest:
        kept = dict(sorted([*kept.items(), (day, kept[following])]))
    return {each: _with(packed, late) if each > day else packed for each, packed in kept.items()}


def _with(packed: bytes, action: Action) -> bytes:
    portrait = _PORTRAIT(packed)
    portrait.add(action)
    return _PACK(portrait)


def _not_too_large(kept: KeptDays) -> KeptDays:
    while len(kept) > 1 and sum(map(len, kept.values())) > MAX_KEPT_BYTES:
        del kept[min(kept)]
    return kept
