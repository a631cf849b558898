"""Which value a tag has at a moment: the one set by hand while it lasts, else the one that a rule gives."""

from collections.abc import Mapping

from agents.lifecycle import state_at
from agents.limits import Limits, Span
from schemas.changes import LIFECYCLE, PURCHASE
from schemas.events import Scalar
from schemas.times import NEVER, Millis
from tables.lifecycle import UNACTIVATED, Lifecycle
from tables.row import Row
from tables.rule_tags import RuleTag


class EffectiveTags(dict[str, Scalar]):
    """All tags of a user at a moment by name, worked out when they are asked for."""

    def __init__(
        self, row: Row, rule_tags: Mapping[str, RuleTag], hand: Mapping[str, Scalar], moment: Millis, limits: Limits
    ) -> None:
        super().__init__(hand)
        self._row, self._rule_tags, self._moment, self._limits = row, rule_tags, moment, limits

    def __missing__(self, name: str) -> Scalar:
        """Work out one of them."""
        row, moment = self._row, self._moment
        if name == LIFECYCLE:
            return state_at(row.lifecycle, moment, self._limits.lifecycle)
        if name == PURCHASE:
            is_known = row.first is not None and row.first.ts <= moment
            return state_at(row.purchase, moment, self._limits.purchase) or (UNACTIVATED if is_known else None)
        tag = self._rule_tags.get(name)
        return None if tag is None else tag.value_at(moment)


def set_by_hand(row: Row, moment: Millis) -> dict[str, Scalar]:
    """The tags that a word by hand decides at a moment."""
    if row.packed_tags is None:
        return {}
    return {
        name: tag.value for name, tag in row.tags.items() if tag.value is not None and tag.ts <= moment < tag.expires_at
    }


def next_move(row: Row, moment: Millis, limits: Limits) -> Millis:
    """When time alone moves a lifecycle next, after a moment at or behind the last activity."""
    return min(_next(row.lifecycle, moment, limits.lifecycle), _next(row.purchase, moment, limits.purchase))


def _next(life: Lifecycle, moment: Millis, span: Span) -> Millis:
    if life.first is None:
        return NEVER
    return min((at for at in (life.last + span.silent_ms, life.last + span.lost_ms) if at > moment), default=NEVER)
