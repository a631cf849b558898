"""Text of unknown origin, for a terminal."""

from typing import Final

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


def printable(text: str, instead: str = REPLACEMENT) -> str:
    """Text of unknown origin without what could move the cursor, change the colours or begin a line.

    >>> printable("a" + chr(27) + "[2Jb", instead="?")
    'a?[2Jb'
    """
    return "".join(letter if letter.isprintable() else instead for letter in text)
