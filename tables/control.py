"""How far a partition has done what people told its campaigns; a part of the marker."""

from typing import Final

from msgspec import Struct

from schemas.events import UserId
from schemas.times import Millis
from schemas.topics import Offset


class Running(Struct, frozen=True, kw_only=True):
    """A run: all users up to `cursor` have had their turn, and for `users` of them there was something to decide.

    One that is over names nobody any more.
    """

    id: str
    campaign: str
    at: Millis
    pace: float | None = None
    cursor: UserId = ""
    users: int = 0
    is_over: bool = False


class Control(Struct, frozen=True):
    """`position`: the next record of the control topic. `paused`: campaigns, and since when. `runs`: oldest first.

    Runs that are over stay for a while: a copy of their record starts nothing.
    """

    position: Offset = 0
    paused: dict[str, Millis] = {}
    runs: tuple[Running, ...] = ()


NOTHING_TOLD: Final = Control()
