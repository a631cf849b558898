"""Which copy of a partition's rows is read."""

from typing import Final, Self

from msgspec import MsgspecError, Struct, json


class Pointer(Struct, frozen=True):
    """`stage`: the copy that is read; None: there is none yet. `filling`: the one that will take its place.

    `writes`: so often its owner has written. A Redis that comes back with what it held earlier knows of fewer.
    """

    stage: str | None = None
    filling: str | None = None
    writes: int = 0

    @classmethod
    def of(cls, stored: bytes | None) -> Self:
        """As it is stored; what is none of ours points nowhere."""
        try:
            return json.decode(stored or b"{}", type=cls)
        except MsgspecError:
            return cls()

    @property
    def is_whole(self) -> bool:
        """Whether what is read is all there is."""
        return self.stage is not None and self.filling is None

    @property
    def stored(self) -> bytes:
        """As `of` reads it."""
        return json.encode(self)


NOWHERE: Final = Pointer()
