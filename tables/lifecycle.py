"""What is remembered of one lifecycle of one user: enough to go on, and to take back what a late event proves wrong."""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

from schemas.times import Millis
from tables.said import Said

State: TypeAlias = Literal["unactivated", "active", "silent", "lost"]

UNACTIVATED: Final[State] = "unactivated"
ACTIVE: Final[State] = "active"
SILENT: Final[State] = "silent"
LOST: Final[State] = "lost"


class Lifecycle(Struct, array_like=True, gc=False):
    """First and last activity, the newest long gap, the value said last, and the changes still open to correction.

    A late event within the allowed lateness can only split the newest gap that is longer than the silent limit, because
    the lateness is shorter than that limit; so two instants are enough to correct the past.
    """

    state: State | None = None
    first: Millis | None = None
    last: Millis = 0
    gap_start: Millis | None = None
    gap_end: Millis = 0
    said: list[Said[State]] = []
