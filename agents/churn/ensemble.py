"""The ensemble: all models side by side, each judged by what it said before it knew; the best of them speaks."""

from typing import Final, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct

from agents.churn.calibration import Calibration
from agents.churn.catalogue import FEATURES
from agents.churn.drift import Drift
from agents.churn.horizon import Horizon
from agents.churn.models.bgnbd import BgNbd
from agents.churn.models.boosting import Boosting, StepsBoosting
from agents.churn.models.forest import Forest
from agents.churn.models.linear import Linear, StepsLinear
from agents.churn.models.logistic import Logistic
from agents.churn.models.mix import Mix
from agents.churn.models.model import Model
from agents.churn.models.numbers import Array, Matrix, Vector, log_loss, log_odds
from agents.churn.models.recency import Recency
from agents.churn.reasons import Reason, reasons
from agents.gender.voice import Voice
from agents.recall.policy import Policy
from schemas.times import Millis, to_datetime

MIX: Final = "mix"
CALIBRATED: Final = "mix_calibrated"
KEPT: Final = 0.9
"""So much an instant's loss weighs at the next one."""
HEAD_START: Final = 25.0
LEAD: Final = 0.02
"""The mix has to be beaten by a sum of log losses of 25, and by 2 %: one odd season is no reason to change."""
PRIOR: Final[dict[str, float]] = {
    "bg_nbd": 1.0,
    "linear_steps": 2.0,
    "boosting_steps": 4.0,
    "linear": 1.0,
    "boosting": 1.0,
}
"""The experts of the mix, and how much each is believed at first."""


class Scores(NamedTuple):
    """P(inactive) of each row, and which model, of which version, says so."""

    p_inactive: Vector
    model: str
    version: str


class Loss(Struct, array_like=True):
    """Decayed sums of log losses and of examples."""

    total: float = 0.0
    examples: float = 0.0

    @property
    def mean(self) -> float:
        """A loss an example; 0 before there was any."""
        return self.total / self.examples if self.examples else 0.0


class _State(Struct, array_like=True):
    version: Millis
    average: Array
    losses: dict[str, Loss]
    models: dict[str, bytes]
    mix: bytes
    calibration: bytes
    drift: bytes
    gender: Voice | None = None
    channels: Policy | None = None


class Ensemble:
    """At each instant of the grid, in this order: what has matured by then is learnt, `refit`, then scores are made.

    Of the trainer's calls only `candidates`, `predict` and `reasons` are a scorer's. `gender`: what the gender model,
    which learns beside them, has to say; `channels`: what was learnt of campaigns' channels. Both travel in the same
    snapshots.
    """

    def __init__(self, horizon: Horizon) -> None:
        self.horizon = horizon
        bg_nbd = BgNbd(horizon)
        models: list[Model] = [Recency(horizon), Logistic(horizon), Forest(horizon), bg_nbd]
        if horizon.steps > 1:
            models += [StepsLinear(horizon, bg_nbd), StepsBoosting(horizon, bg_nbd)]
        models += [Linear(horizon, bg_nbd), Boosting(horizon, bg_nbd)]
        self._models = {model.name: model for model in models}
        self._experts = [name for name in self._models if name in PRIOR]
        self._mix = Mix(tuple(PRIOR[name] for name in self._experts))
        self._calibration = Calibration()
        self._drift = Drift()
        self._losses = {name: Loss() for name in (MIX, CALIBRATED, *self._models)}
        self._average = np.zeros(len(FEATURES))
        self._version: Millis = 0
        self.gender: Voice | None = None
        self.channels: Policy | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All candidates: the mix, the mix calibrated, and the models."""
        return tuple(self._losses)

    @property
    def losses(self) -> dict[str, float]:
        """The decayed log loss of each."""
        return {name: loss.mean for name, loss in self._losses.items()}

    @property
    def calibration(self) -> Calibration:
        """How the mix is calibrated."""
        return self._calibration

    def losses_of(self, name: str) -> Loss:
        """The sums of one candidate."""
        return self._losses[name]

    @property
    def weights(self) -> dict[str, float]:
        """What the mix believes of its experts."""
        return dict(zip(self._experts, self._mix.weights, strict=True))

    @property
    def drifts(self) -> list[Millis]:
        """The instants whose examples showed that the champion's loss had changed."""
        return list(self._drift.found)

    @property
    def champion(self) -> str:
        """The candidate with the least decayed log loss, if it beats the mix clearly; else the mix."""
        best = min(self._losses, key=lambda name: self._losses[name].total)
        enough = (1.0 - LEAD) * self._losses[MIX].total - HEAD_START
        return best if self._losses[best].total < enough else MIX

    @property
    def version(self) -> str:
        """Of which instant the last refit was."""
        return to_datetime(self._version).isoformat().replace("+00:00", "Z")

    def learn_steps(self, x: Matrix, y: Vector, as_of: Millis) -> None:
        """Take in an instant's labels of one step; not to be called where the horizon is one step."""
        for model in self._models.values():
            if model.span == "step":
                model.learn(x, y, as_of)

    def learn(self, x: Matrix, y: Vector, said: dict[str, Vector], as_of: Millis) -> None:
        """Take in an instant's labels, and what the candidates had said at that instant."""
        if not len(y):
            return
        self._judge(y, said, as_of)
        self._mix.learn(self._odds(said), y)
        self._calibration.learn(said[MIX], y)
        for model in self._models.values():
            if model.span == "horizon":
                model.learn(x, y, as_of)

    def _judge(self, y: Vector, said: dict[str, Vector], as_of: Millis) -> None:
        self._drift.learn(log_loss(said[self.champion], y), as_of)
        for name, loss in self._losses.items():
            loss.total = loss.total * KEPT + float(log_loss(said[name], y).sum())
            loss.examples = loss.examples * KEPT + len(y)

    def refit(self, x: Matrix, as_of: Millis) -> None:
        """Settle what was learnt; `x`: everyone's features at the newest instant, which need no labels."""
        if len(x):
            self._average = x.mean(axis=0)
        for model in self._models.values():
            model.refit(x, as_of)
        self._version = as_of

    def candidates(self, x: Matrix) -> dict[str, Vector]:
        """What each candidate says."""
        found = {name: model.predict(x) for name, model in self._models.items()}
        mixed = self._mix.predict(self._odds(found))
        return {MIX: mixed, CALIBRATED: self._calibration.apply(mixed), **found}

    def predict(self, x: Matrix) -> Scores:
        """What the champion says."""
        name = self.champion
        return Scores(self._say(name, x), name, self.version)

    def reasons(self, user: Vector) -> list[Reason]:
        """What raises the champion's score of one user, and what lowers it."""
        name = self.champion
        return reasons(lambda x: self._say(name, x), user, self._average)

    def _say(self, name: str, x: Matrix) -> Vector:
        if name in self._models:
            return self._models[name].predict(x)
        mixed = self._mix.predict(self._odds({each: self._models[each].predict(x) for each in self._experts}))
        return mixed if name == MIX else self._calibration.apply(mixed)

    def _odds(self, said: dict[str, Vector]) -> Matrix:
        return np.column_stack([log_odds(said[name]) for name in self._experts])

    def snapshot(self, *, whole: bool = True) -> bytes:
        """All of it; without `whole`, what a scorer needs."""
        return msgspec.msgpack.encode(
            _State(
                self._version,
                Array.of(self._average),
                self._losses,
                {name: model.snapshot(whole=whole) for name, model in self._models.items()},
                self._mix.snapshot(),
                self._calibration.snapshot(),
                self._drift.snapshot(whole=whole),
                self.gender,
                self.channels,
            )
        )

    def restore(self, snapshot: bytes) -> None:
        """Become what was said in a snapshot of the same horizon.

        Raises msgspec.MsgspecError, KeyError or ValueError for what is none; half of it may have been taken over then.
        """
        state = msgspec.msgpack.decode(snapshot, type=_State)
        self._version, self._average = state.version, state.average.array()
        for name, model in self._models.items():
            model.restore(state.models[name])
        self._losses = {name: state.losses[name] for name in self._losses}
        self._mix.restore(state.mix)
        self._calibration.restore(state.calibration)
        self._drift.restore(state.drift)
        self.gender = state.gender
        self.channels = state.channels
