"""How many users went from one state of a lifecycle to another, by UTC day of event time.

```
day        20,000                       20,030                            20,031
said       null -> active of u          active -> silent of u             withdrawn, as u was there on 20,029
counted    +1 null -> active            +1 active -> silent               (on 20,030) -1 active -> silent
```

So a day counts the effective history as far as it is known; with the census of now, the days since tell how many users
were in which state at the end of each (`app/moves.py`). Who is erased goes to null on that day.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias, cast

import msgspec
from msgspec import UNSET

from schemas.changes import LIFECYCLE, PURCHASE, TagChange, TagName
from schemas.events import Scalar
from schemas.times import DAY_MS, Millis
from tables.days import Days, Kind, Records
from tables.lifecycle import State

MOVES_PREFIX: Final = b"\xffmoves/"
ALWAYS: Final[Millis] = 0
"""Since when moves are counted where no version before has left any out."""

Move: TypeAlias = tuple[State | None, State | None]
"""From and to; None: not known before, or erased after."""
Flows: TypeAlias = dict[Move, int]
Day: TypeAlias = dict[TagName, Flows]
"""The moves of a day by lifecycle; what was taken back altogether is left out. At most 320 bytes or so."""

_KIND: Final[Kind[Day]] = Kind(MOVES_PREFIX, "a day of moves", dict, msgspec.msgpack.Decoder(Day))
_LIFECYCLES: Final = frozenset({LIFECYCLE, PURCHASE})


class Moves:
    """All days of a partition. `since`: what was said of times up to it may be left out, as nobody counted yet."""

    def __init__(self) -> None:
        self.days: Days[Day] = Days(_KIND)
        self.since: Millis = ALWAYS

    def count(self, changes: Iterable[TagChange]) -> None:
        """Count changes on their days; a withdrawal takes off the move that it withdraws, which has the same time.

        >>> moves = Moves()
        >>> known = {"user_id": "u", "tag": LIFECYCLE, "at": 5, "cause": "click:c", "rule_version": 1}
        >>> moves.count([TagChange(id="u/lifecycle/5/1", from_=None, to="active", **known)])
        >>> dict(moves.days)
        {0: {'lifecycle': {(None, 'active'): 1}}}
        """
        said = Counter(
            (change.at // DAY_MS, change.tag, change.from_, change.to, change.corrects is UNSET)
            for change in changes
            if change.tag in _LIFECYCLES
        )
        for (number, tag, before, after, is_said), users in said.items():
            if is_said:
                self._count(number, tag, (before, after), users)
            else:
                self._count(number, tag, (after, before), -users)

    def _count(self, number: int, tag: TagName, values: tuple[Scalar, Scalar], by: int) -> None:
        move = cast("Move", values)  # a lifecycle has no other values than its states
        day = self.days.to_change(number)
        flows = day.setdefault(tag, {})
        if users := flows.get(move, 0) + by:
            flows[move] = users
            return
        del flows[move]
        if not flows:
            del day[tag]

    def collect(self) -> dict[bytes, bytes | None]:
        """The days that have changed since the last epoch, as records of the changelog."""
        return self.days.collect()

    def resume(self, records: Records, since: Millis) -> None:
        """Go on from what was written. Raises DamagedError for what is none of ours."""
        self.days.resume(records)
        self.since = since


def read_moves(records: Records) -> Mapping[int, Day]:
    """The days in records of a changelog, by number since 1970. Raises DamagedError for what is none of ours."""
    return _KIND.read(records)
