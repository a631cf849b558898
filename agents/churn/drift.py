"""Drift: when the champion's log loss has changed for good, by river's ADWIN (Bifet and Gavaldà 2007)."""

from typing import Any, Final

import msgspec
from msgspec import Struct
from river.drift import ADWIN

from agents.churn.models.numbers import Vector
from schemas.times import Millis

AN_INSTANT: Final = 100
"""So many losses of an instant are looked at."""
MOST: Final = 4_000
"""When so many were looked at, ADWIN begins anew with the newer half."""
MOST_TOLD: Final = 100
_CONFIDENCE: Final = 0.002


class _State(Struct, array_like=True):
    seen: list[float]
    found: list[Millis]


class Drift:
    """Watches losses; it is a function of those it has `seen` since it last began anew, which a snapshot keeps."""

    def __init__(self) -> None:
        self._seen: list[float] = []
        self.found: list[Millis] = []
        self._adwin: Any = _watch()

    def learn(self, losses: Vector, as_of: Millis) -> None:
        """Look at some of an instant's losses, taken evenly over the order of users."""
        some = losses[:: -(-len(losses) // AN_INSTANT)].tolist() if len(losses) else []
        if len(self._seen) + len(some) > MOST:
            self._begin(self._seen[-MOST // 2 :])
        self._seen += some
        if any([self._changed(loss) for loss in some]):  # noqa: C419  all of them are to be seen
            self.found = [*self.found, as_of][-MOST_TOLD:]

    def _changed(self, loss: float) -> bool:
        self._adwin.update(loss)
        return bool(self._adwin.drift_detected)

    def _begin(self, seen: list[float]) -> None:
        self._seen, self._adwin = seen, _watch()
        for loss in seen:
            self._adwin.update(loss)

    def snapshot(self, *, whole: bool = True) -> bytes:
        """At which instants drift was found, and, where it is `whole`, what was seen."""
        return msgspec.msgpack.encode(_State(self._seen if whole else [], self.found))

    def restore(self, snapshot: bytes) -> None:
        """Take them over."""
        state = msgspec.msgpack.decode(snapshot, type=_State)
        self.found = state.found
        self._begin(state.seen)


def _watch() -> Any:
    return ADWIN(delta=_CONFIDENCE)  # type: ignore[no-untyped-call]  # river has no types
