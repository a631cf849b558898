"""Which dead letters a request asks for, and how many are looked at."""

from http import HTTPStatus
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from app.api.problem import ProblemError
from app.clock import now
from app.dead_letters.choice import Choice, since_of
from app.settings import Settings
from schemas.dead_letter import DeadReason
from schemas.times import Millis

InputTopic: TypeAlias = Literal[
    "events.click", "events.cart", "events.order", "events.profile", "events.message", "events.tag"
]
Since: TypeAlias = Annotated[
    str, Meta(description="only what became a dead letter since: RFC 3339, ms, or how long ago (2h)")
]

LOOKED_AT: Final = 20_000
"""Of more dead letters than about so many, only the newest are looked at: a worker has other things to do."""
_AT_LEAST: Final = 500


class LettersQuery(Struct, kw_only=True, frozen=True):
    """Letters of some reasons and input topics (none named: of all)."""

    reason: Annotated[list[DeadReason], Meta(description="only these")] = []
    topic: Annotated[list[InputTopic], Meta(description="only what lay on these input topics")] = []
    since: Since = ""
    limit: Annotated[int, Meta(ge=1, le=1_000, description="at most so many, the oldest")] = 100

    @property
    def choice(self) -> Choice:
        """The same for those who read letters. Raises ProblemError."""
        return Choice(self.reason, self.topic, self._since())

    def _since(self) -> Millis:
        try:
            return since_of(self.since, now()) if self.since else 0
        except ValueError as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, f"`since`: {error}") from None


def looked_at(settings: Settings) -> int:
    """Offsets before the end of each partition of the topic of dead letters."""
    return max(LOOKED_AT // settings.partitions, _AT_LEAST)
