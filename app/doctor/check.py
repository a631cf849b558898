"""How a check of the doctor comes out."""

from enum import StrEnum

import msgspec


class Level(StrEnum):
    """How a check went; only what failed keeps the processor from working."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


class Check(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing looked at: what was found, and, where it is not well, what to do."""

    name: str
    level: Level
    finding: str
    advice: str = ""
