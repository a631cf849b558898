"""What a redrive will send, and what it leaves where it is."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from agents.partition import latest_believed
from app.dead_letters.letter import Letter
from app.dead_letters.marks import Marks
from app.dead_letters.ready import Ready, ready
from app.dead_letters.state import State, state_of
from app.settings import Clock
from schemas.dead_letter import Rejected
from schemas.times import Millis


@dataclass(frozen=True)
class Plan:
    """What is ready to be sent, and how many letters are not, by the reason why."""

    ready: list[Ready] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)


def plan(letters: Iterable[Letter], marks: Marks, clock: Clock, now: Millis) -> Plan:
    """Of the waiting letters those that can be used by now, just as they are."""
    found = Plan()
    for letter in letters:
        if state_of(letter, marks) is not State.WAITING:
            continue
        try:
            found.ready.append(_again(letter, clock, now))
        except Rejected as why:
            found.left[why.reason] += 1
    return found


def latest(clock: Clock, now: Millis) -> Millis:
    """The newest time that a partition believes; with the clock of events it depends on those alone."""
    return latest_believed(now if clock is Clock.WALL else None)


def _again(letter: Letter, clock: Clock, now: Millis) -> Ready:
    if letter.reason == "too_far_ahead" and clock is Clock.EVENT:
        raise Rejected("too_far_ahead", "how far events have come is known to the worker alone")
    return ready(letter.place, letter.payload, latest(clock, now))
