"""What was triggered for a user, and what is still to be decided."""

from typing import Final

from msgspec import Struct

from schemas.events import RecallChannel
from schemas.money import Minor
from schemas.times import DAY_MS, Millis

MAX_SENT: Final = 32
"""So many triggers of a user are remembered: for caps, and for what follows from them."""

REMEMBERED_MS: Final = 120 * DAY_MS
"""So long a trigger is remembered: longer than any cap, and any window with what follows it."""

RUN: Final = "run:"
"""So begins the cause of what no change started, but a run by hand."""

HELD: Final = 1
"""Nothing was triggered: the user is held out, and compared with."""
SENT: Final = 2
DELIVERED: Final = 4
OPENED: Final = 8
CLICKED: Final = 16
FAILED: Final = 32
UNSUBSCRIBED: Final = 64
RECALLED: Final = 128
BACK: Final = 256
"""After the window something was done again."""
GONE: Final = 512
"""After the window nothing was done for so long that it counts as lost again."""
CANCELLED: Final = 1024
FIRST: Final = 2048
"""The first one of its campaign that the user got, or was held out of."""


class Due(Struct, array_like=True, gc=False):
    """A decision to be taken `at` a time.

    `due`: when it was due first, before quiet hours put it off; `cause`: what it follows from; `failed`: the channel
    that has failed before.
    """

    at: Millis
    campaign: str
    cause: str
    due: Millis
    failed: str = ""


class Bet(Struct, array_like=True, gc=False):
    """A channel that was chosen by chance, to learn from what it brings: known at `known_at`, late events included.

    `propensities`: with how much chance each open channel could have been chosen, in the campaign's order; `context`:
    the numbers that were gone by; `value`: of a recall; `revenue` so far.
    """

    propensities: dict[str, float]
    context: dict[str, float]
    value: Minor
    known_at: Millis
    revenue: Minor = 0


class Sent(Struct, array_like=True, gc=False):
    """A trigger, or what would have been one. Activity up to `until` is put down to it; `marks`: what came of it.

    `bet`: until what it brought has been told to those who learn from it.
    """

    sequence: int
    campaign: str
    variant: str | None
    channel: RecallChannel
    at: Millis
    expires_at: Millis
    until: Millis
    cause: str
    cost: Minor
    marks: int = 0
    bet: Bet | None = None


class Recalls(Struct, array_like=True, gc=False):
    """Decisions to be taken, and triggers, oldest first; `met`: the campaigns that have triggered or held out ever."""

    due: list[Due] = []
    sent: list[Sent] = []
    met: list[str] = []

    @property
    def all(self) -> list[Due | Sent]:
        """Decisions and triggers."""
        return [*self.due, *self.sent]
