"""What Prometheus is told of the models that score users."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import Metric

from app.live import metric_names as names
from schemas.times import SECOND_MS

if TYPE_CHECKING:
    from agents.churn.ensemble import Ensemble


def samples(ensemble: "Ensemble | None") -> Iterator[Metric]:
    """How good each candidate is, and which one speaks; nothing before there are models."""
    if ensemble is None:
        return
    loss, champion = names.MODEL_LOSS.gauge(), names.MODEL_CHAMPION.gauge()
    for model, mean in ensemble.losses.items():
        champion.add_metric([model], model == ensemble.champion)
        if ensemble.examples:
            loss.add_metric([model], mean)
    yield from (loss, champion)
    for name, value in (
        (names.MODEL_BASE_LOSS, ensemble.base_loss),
        (names.MODEL_EXAMPLES, ensemble.examples),
        (names.MODEL_AS_OF, ensemble.as_of / SECOND_MS),
    ):
        if value is not None:
            family = name.gauge()
            family.add_metric([], value)
            yield family
