"""Preferences: what a user chooses most often, once that is known of enough actions and clear enough to say."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from schemas.events import Scalar
from schemas.rules import Dimension

if TYPE_CHECKING:
    from agents.rules.view import View

MIN_ACTIONS = 10
MIN_SHARE = 0.3


class Preference(NamedTuple):
    """The value of a dimension with the greatest share of the actions, if there are enough of them.

    Its share has to reach `min_share`, and `min_lift` times its share in the population, where that is known. The
    current value stays until its share falls below `min_share` by the hysteresis, or another is ahead by as much.
    """

    dimension: Dimension
    min_actions: int
    min_share: float
    min_lift: float
    hysteresis: float
    population: Mapping[str, float]
    otherwise: Scalar

    def of(self, v: "View", current: Scalar) -> Scalar:
        """The preference of a user whose current one is known."""
        if v.acted() < self.min_actions or v.observed(self.dimension) < self.min_actions:
            return self.otherwise
        top, share = v.top(self.dimension), v.top_share(self.dimension)
        if top is None or share is None:
            return self.otherwise
        slack = 0.0
        if isinstance(current, str):
            held = share if current == top else v.share(self.dimension, current)
            if held is not None and share - held <= self.hysteresis:
                top, share, slack = current, held, self.hysteresis
        return top if self._is_clear(top, share + slack) else self.otherwise

    def _is_clear(self, value: str, share: float) -> bool:
        return share >= self.min_share and share >= self.min_lift * self.population.get(value, 0.0)
