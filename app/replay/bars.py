"""The progress bars of a replay: those of a backtest, by their right name."""

from typing import Final

from app.history.history import Phase
from app.summary import Bars

_APPLYING: Final[Phase] = "applying"


class ReplayBars(Bars):
    """What a backtest applies is sent here."""

    def show(self, phase: Phase, done: int, total: int) -> None:
        """Move the bar of a phase."""
        if phase == _APPLYING and phase not in self._tasks:
            self._tasks[phase] = self._progress.add_task("Sending events")
        super().show(phase, done, total)
