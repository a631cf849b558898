"""What features become while nothing happens: so a model of the next days can be asked of the days after them."""

from math import exp
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agents.churn.catalogue import FEATURES, PLACE, SPREAD_FLOOR

_RECENCY: Final = PLACE["recency"]
_MOST: Final = 20.0
"""No logarithm of a feature is taken to be greater, whatever the row says: what is more would not be finite."""


def aged(x: NDArray[np.float64], days: float) -> NDArray[np.float64]:
    """The features after so many more days without any activity."""
    later = x.copy()
    for place, feature in enumerate(FEATURES):
        if feature.ageing == "clock":
            later[:, place] += days
        elif feature.ageing == "elapsed":
            later[:, place] = np.log1p(np.expm1(np.clip(x[:, place], 0.0, _MOST)) + days)
        elif feature.ageing == "decayed":
            total = np.exp(np.minimum(x[:, place], _MOST)) - feature.floor
            later[:, place] = np.log(np.maximum(total, 0.0) * exp(-days / feature.decay_days) + feature.floor)
    longer = later[:, _RECENCY] - x[:, _RECENCY]
    later[:, PLACE["overdue"]] += longer
    later[:, PLACE["outwaited"]] += longer / (SPREAD_FLOOR + x[:, PLACE["gap_spread"]])
    return later
