"""What has become of a dead letter."""

from enum import StrEnum

from app.dead_letters.letter import Letter
from app.dead_letters.marks import Marks


class State(StrEnum):
    """What has become of a dead letter; only the last two may be redriven, a cut one only by hand."""

    FAILED_AGAIN = "redriven and failed again"
    REDRIVEN = "redriven"
    CUT = "cut"
    WAITING = "waiting"

    @property
    def is_open(self) -> bool:
        """Whether nothing was sent for it yet, and it was not itself sent for another."""
        return self in {State.CUT, State.WAITING}


def state_of(letter: Letter, marks: Marks) -> State:
    """The state of a letter: a redriven record that fails again has its letter at a place that a mark names."""
    if letter.place.key in marks.sent:
        return State.FAILED_AGAIN
    if letter.place.key in marks.redriven:
        return State.REDRIVEN
    return State.CUT if letter.is_cut else State.WAITING
