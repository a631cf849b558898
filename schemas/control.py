"""What people tell campaigns by hand: the records of the control topic, which all workers follow.

The newest record of a campaign tells whether it is paused; a run has a record of its own.
"""

from typing import Annotated, Final, NamedTuple, TypeAlias

import msgspec
from msgspec import Meta, Struct

from schemas.times import Millis
from schemas.topics import Offset

MAX_PACE: Final = 1_000_000
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]


class Pause(Struct, frozen=True, tag="pause"):
    """From now on all that a campaign decides is `paused`, and its runs stand still. `at`: when it was told."""

    campaign: Name
    at: Millis


class Resume(Struct, frozen=True, tag="resume"):
    """It decides again, and its runs go on."""

    campaign: Name
    at: Millis


class Run(Struct, frozen=True, tag="run"):
    """Let a campaign decide about every user, once. `pace`: users a second over all partitions; None: at ease."""

    id: Name
    campaign: Name
    at: Millis
    pace: Annotated[float, Meta(gt=0, le=MAX_PACE)] | None = None


Command: TypeAlias = Pause | Resume | Run


class Told(NamedTuple):
    """A command, and where it lies in the topic; None: a record that this version cannot read."""

    offset: Offset
    command: Command | None


_DECODE: Final = msgspec.json.Decoder(Command).decode


def control_record(command: Command) -> tuple[bytes, bytes]:
    """Key and value. Compaction keeps the newest word on each campaign, and every run.

    >>> control_record(Pause("silent", 5))
    (b'campaign/silent', b'{"type":"pause","campaign":"silent","at":5}')
    """
    key = f"run/{command.id}" if isinstance(command, Run) else f"campaign/{command.campaign}"
    return key.encode(), msgspec.json.encode(command)


def read_control(offset: Offset, value: bytes | None) -> Told:
    """A record of the topic."""
    try:
        return Told(offset, _DECODE(value or b""))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Told(offset, None)
