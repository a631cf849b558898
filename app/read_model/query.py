"""A question to the sets of one partition: who has these tags, and not those."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self, TypeAlias

from app.read_model.keys import StageKeys
from schemas.changes import TagName
from schemas.events import UserId
from tables.labels import EVERYBODY, Label, label, value_text

Wanted: TypeAlias = tuple[TagName, str | bool | None]
"""A tag, and its value; None: any."""


class Query(NamedTuple):
    """The labels that users must all have (none: everybody is meant), and those of which they must have none."""

    wanted: Sequence[Label]
    unwanted: Sequence[Label]

    @classmethod
    def of(cls, wanted: Iterable[Wanted], unwanted: Iterable[Wanted]) -> Self:
        """Raises ValueError for a value that no label has: an empty one, or one of more than 64 characters."""
        return cls([_label(each) for each in wanted] or [EVERYBODY], [_label(each) for each in unwanted])

    def size(self, pipe: Any, stage: StageKeys, key: str) -> None:
        """Add the commands of which the last one tells how many users there are."""
        if self.unwanted:
            self.find(pipe, stage, key)
            pipe.scard(key)
        else:
            sets = [stage.users(each) for each in self.wanted]
            pipe.sintercard(len(sets), sets)

    def find(self, pipe: Any, stage: StageKeys, key: str) -> None:
        """Add the commands that put the users into a set."""
        pipe.sinterstore(key, [stage.users(each) for each in self.wanted])
        if self.unwanted:
            pipe.sdiffstore(key, [key, *map(stage.users, self.unwanted)])

    def page(self, pipe: Any, stage: StageKeys, key: str, after: UserId | None, limit: int) -> None:
        """Add the commands of which the last one gives the first users behind one, in the order of their bytes."""
        self.find(pipe, stage, key)
        pipe.zunionstore(key, {key: 0})
        pipe.zrangebylex(key, "-" if after is None else f"({after}", "+", start=0, num=limit)


def _label(wanted: Wanted) -> Label:
    name, value = wanted
    text = value_text(value)
    if text is None and value is not None:
        raise ValueError(f"nobody can be found by such a value of {name}: it is empty, or too long")
    return label(name, text)
