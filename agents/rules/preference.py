"""Preferences: what a user chooses most often, once that is known of enough actions and clear enough to say."""

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from agents.rules.as_written import as_written
from agents.sameness import same
from schemas.events import Scalar
from schemas.rules import Dimension

if TYPE_CHECKING:
    from agents.rules.tastes import Lead
    from agents.rules.view import View

MIN_ACTIONS = 10
MIN_SHARE = 0.3
_SPARE = 0.01
"""Of an action: shares are compared to twelve places, so this is too much for up to ten thousand million actions."""


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
        """The preference of a user whose current one is known; the view is told for how many actions it is sure."""
        missing = self.min_actions - v.acted()
        if missing <= 0:
            missing = self.min_actions - v.observed(self.dimension)
        if missing > 0:
            v.holds_for(missing)
            return self.otherwise
        lead = v.lead(self.dimension)
        if lead.top is None:
            v.holds_for(0)
            return self.otherwise
        held = lead.weight
        if isinstance(current, str) and current != lead.top:
            held = v.weight(self.dimension, current)
        found = self._of(lead, held, current)
        v.holds_for(self._lasts(v, lead, held, found))
        return found

    def _of(self, lead: "Lead", held: int, current: Scalar) -> Scalar:
        top, share, slack = lead.top, lead.share, 0.0
        if isinstance(current, str) and as_written(share - held / lead.total) <= self.hysteresis:
            top, share, slack = current, held / lead.total, self.hysteresis
        return top if as_written(share + slack) >= self._least_share(top) else self.otherwise

    def _least_share(self, value: str | None) -> float:
        if not self.population:
            return self.min_share
        return max(self.min_share, as_written(self.min_lift * self.population.get(value or "", 0.0)))

    def _lasts(self, v: "View", lead: "Lead", held: int, found: Scalar) -> int:
        """Fewer further actions than so many leave the answer as it is, whatever they are.

        At worst all of them are of one other value. A little is left to spare, for what doubles cannot tell apart.
        """
        unit = v.unit(self.dimension)
        is_none = same(found, self.otherwise)
        if unit is None or (is_none and lead.share >= self.min_share):
            return 0
        if is_none:
            actions = (self.min_share * lead.total - lead.weight) / ((1 - self.min_share) or 1)
        else:
            if found == lead.top:
                held = lead.weight
            rival = lead.next if found == lead.top else lead.weight
            least = self._least_share(str(found)) - self.hysteresis
            ahead = (self.hysteresis * lead.total - rival + held) / (1 - self.hysteresis)
            actions = min(ahead, held / least - lead.total) if least > 0 else ahead
        return max(ceil(actions / unit - _SPARE), 0)
