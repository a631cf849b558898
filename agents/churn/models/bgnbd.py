"""BG/NBD: users buy at a rate of their own and leave, each time, with a chance of their own.

The modified form (MBG/NBD, Batislam, Denizel and Filiztekin 2007, after Fader, Hardie and Lee 2005), in which a user
may leave after the first purchase too. It needs no labels: repeats, last and age of everyone are enough to fit it.
"""

from typing import ClassVar, Final

import msgspec
import numpy as np
from msgspec import Struct
from scipy.optimize import minimize
from scipy.special import gammaln

from agents.churn.catalogue import PLACE
from agents.churn.horizon import Horizon
from agents.churn.models.model import Model
from agents.churn.models.numbers import Matrix, Vector, chance, likely, log_odds
from schemas.times import Millis

PRIOR: Final = (0.0, 3.4, 0.0, 1.1)
"""ln of r, alpha (days), a and b: what is believed as strongly as PRIOR_USERS would say."""
PRIOR_USERS: Final = 0.2
MOST_USERS: Final = 3_000
"""So many are enough to fit four numbers."""
_BOUNDS: Final = ((-6.0, 6.0), (-3.0, 9.0), (-6.0, 6.0), (-6.0, 6.0))


class _State(Struct, array_like=True):
    parameters: tuple[float, float, float, float] = PRIOR


class BgNbd(Model):
    """P(no activity) = 1 - P(alive) * P(some activity | alive); refitted at each instant from everyone's features."""

    name: ClassVar[str] = "bg_nbd"

    def __init__(self, horizon: Horizon) -> None:
        self._days = horizon.days
        self._state = _State()

    @property
    def parameters(self) -> Vector:
        """r, alpha (days), a, b."""
        return np.asarray(np.exp(np.array(self._state.parameters)))

    def learn(self, x: Matrix, y: Vector, as_of: Millis) -> None:
        """Labels teach it nothing."""

    def refit(self, x: Matrix, as_of: Millis) -> None:  # noqa: ARG002  all models have the same methods
        """The likeliest parameters for an even sample of everyone, from the last ones on."""
        if len(x):
            rows = _history(x[:: -(-len(x) // MOST_USERS)])
            found = minimize(_badness, self._state.parameters, rows, method="L-BFGS-B", bounds=_BOUNDS)
            self._state = _State(tuple(float(each) for each in found.x))  # type: ignore[arg-type]  # they are four

    def predict(self, x: Matrix) -> Vector:
        """P(no activity within the horizon)."""
        return self.inactive(x, self._days)

    def inactive(self, x: Matrix, days: float) -> Vector:
        """P(no activity in the next `days`)."""
        repeats, last, age = _history(x)
        r, alpha, a, b = self.parameters
        left = np.log(a / (b + repeats)) + (r + repeats) * np.log((alpha + age) / (alpha + last))
        stays_away = np.exp((r + repeats) * np.log((alpha + age) / (alpha + age + days)))
        return likely(1.0 - chance(-left) * (1.0 - stays_away))

    def odds(self, x: Matrix, days: float) -> Vector:
        """The log-odds of that."""
        return log_odds(self.inactive(x, days))

    def snapshot(self, *, whole: bool = True) -> bytes:  # noqa: ARG002  four numbers are whole
        """The four parameters."""
        return msgspec.msgpack.encode(self._state)

    def restore(self, snapshot: bytes) -> None:
        """Take them over."""
        self._state = msgspec.msgpack.decode(snapshot, type=_State)


def _history(x: Matrix) -> tuple[Vector, Vector, Vector]:
    """Repeats, last and age, as they may be of a real user."""
    repeats = np.maximum(x[:, PLACE["repeat_days"]], 0.0)
    last = np.maximum(x[:, PLACE["last_day"]], 0.0)
    return repeats, last, np.maximum(x[:, PLACE["age_days"]], last)


def _badness(logs: Vector, repeats: Vector, last: Vector, age: Vector) -> float:
    """The mean of -ln(likelihood), and a little for being far from the prior."""
    r, alpha, a, b = np.exp(logs)
    rates = gammaln(r + repeats) - gammaln(r) + r * logs[1]
    stays = gammaln(a + b) + gammaln(b + repeats + 1) - gammaln(b) - gammaln(a + b + repeats + 1)
    alive = -(r + repeats) * np.log(alpha + age)
    gone = logs[2] - np.log(b + repeats) - (r + repeats) * np.log(alpha + last)
    belief = PRIOR_USERS / len(age) * np.square(logs - np.array(PRIOR)).sum() / 2
    return float(belief - (rates + stays + np.logaddexp(alive, gone)).mean())
