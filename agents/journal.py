"""Saying changes: each gets the user's next sequence number, and with it an id that is never used again."""

from typing import Final

from msgspec import UNSET, UnsetType

from schemas.changes import LIFECYCLE, PURCHASE, TagChange, TagName, change_id
from schemas.events import Scalar, UserId
from schemas.times import Millis
from tables.row import Row

RULE_VERSIONS: Final = {LIFECYCLE: 1, PURCHASE: 1}
"""Versions of the built-in rules; a tag that is not here was set by hand (0)."""


class Journal:
    """Collects the changes that one cause makes to one row."""

    __slots__ = ("_cause", "_row", "_user_id", "changes")

    def __init__(self, row: Row, user_id: UserId, cause: str) -> None:
        self._row = row
        self._user_id = user_id
        self._cause = cause
        self.changes: list[TagChange] = []

    def say(
        self, tag: TagName, from_: Scalar, to: Scalar, at: Millis, cause: str | None = None, version: int | None = None
    ) -> int:
        """Say that a tag went from one value to another; gives the sequence number of the change.

        `version`: of the rule that decided; None: as RULE_VERSIONS has it.
        """
        return self._append(tag, from_, to, at, cause or self._cause, version, UNSET)

    def withdraw(
        self, tag: TagName, from_: Scalar, to: Scalar, at: Millis, sequence: int, version: int | None = None
    ) -> None:
        """Take back the change of that sequence number: from and to exchanged, at the same time."""
        self._append(tag, to, from_, at, self._cause, version, change_id(self._user_id, tag, at, sequence))

    def _append(  # noqa: PLR0913, PLR0917  a change says all this
        self,
        tag: TagName,
        from_: Scalar,
        to: Scalar,
        at: Millis,
        cause: str,
        version: int | None,
        corrects: str | UnsetType,
    ) -> int:
        self._row.sequence = sequence = self._row.sequence + 1
        change = TagChange(
            id=change_id(self._user_id, tag, at, sequence),
            user_id=self._user_id,
            tag=tag,
            from_=from_,
            to=to,
            at=at,
            cause=cause,
            rule_version=RULE_VERSIONS.get(tag, 0) if version is None else version,
            corrects=corrects,
        )
        self.changes.append(change)
        return sequence
