"""A rule: one tag, what it reads, and how its value is worked out."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from agents.rules.inputs import Input
from schemas.changes import TagName
from schemas.events import Scalar
from schemas.rules import TagKind
from schemas.times import Millis

if TYPE_CHECKING:
    from agents.rules.view import View

Evaluate: TypeAlias = "Callable[[View, Scalar], Scalar]"


class Rule(NamedTuple):
    """A tag's rule, compiled. `evaluate(view, current value)` gives the value as of the view's instant."""

    name: TagName
    version: int
    doc: str
    kind: TagKind
    reads: Input
    tags_read: frozenset[TagName]
    evaluate: Evaluate
    ttl_ms: Millis | None = None
    """How long a value lasts since it was last set."""
    group: str | None = None
    """Of the tags of one group only the one with the greatest priority stands."""
    priority: int = 0
    daily: bool = False
    """Whether it is only worked out at the end of the days on which something that it reads has changed."""
    is_sticky: bool = False
    """Whether it goes by its current value (hysteresis)."""
