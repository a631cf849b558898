"""A file of dead letters that a person has corrected: lines of `rekindle dlq list --json`, with the event mended."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from app.dead_letters.choice import Choice
from app.dead_letters.letter import Letter, Place
from app.dead_letters.marks import Marks
from app.dead_letters.plan import Plan
from app.dead_letters.ready import ready
from app.dead_letters.state import state_of
from app.history.jsonl_file import read_jsonl
from app.history.source import sources_of
from schemas.dead_letter import Rejected
from schemas.times import Millis

NOT_CHOSEN: Final = "not asked for"


class _Wire(msgspec.Struct):
    topic: str
    partition: int
    offset: int
    event: msgspec.Raw | UnsetType = UNSET
    payload: bytes | UnsetType = UNSET


_DECODER: Final = msgspec.json.Decoder(_Wire)


class Line(NamedTuple):
    """One line of the file: a letter's place, and the payload that it should have had."""

    letter: Place
    payload: bytes


class WrongLine(NamedTuple):
    """One line that cannot be sent, by its number, and why."""

    number: int
    why: str


class WrongLinesError(Exception):
    """Some lines of a file cannot be sent, so none is."""

    def __init__(self, wrong: list[WrongLine]) -> None:
        super().__init__(f"{len(wrong)} lines are still wrong")
        self.wrong = wrong


class Fixed:
    """Checks the lines of a file against the letters that there are."""

    def __init__(self, letters: Mapping[Place, Letter], marks: Marks, choice: Choice, latest: Millis) -> None:
        self._letters = letters
        self._marks = marks
        self._choice = choice
        self._latest = latest
        self._line_of: dict[Place, int] = {}

    def plan(self, path: Path) -> Plan:
        """What can be sent: every line, but for letters that were redriven before or are not asked for.

        Raises HistoryError where the file cannot be read, WrongLinesError where a line cannot be sent.
        """
        found = Plan()
        wrong: list[WrongLine] = []
        (source,) = sources_of([path])
        for raw in read_jsonl(source):
            if not raw.payload:
                continue
            try:
                self._take(raw.offset, line_of(raw.payload), found)
            except Rejected as why:
                wrong.append(WrongLine(raw.offset, f"{why.reason}: {why.detail}"))
            except ValueError as why:
                wrong.append(WrongLine(raw.offset, str(why)))
        if wrong:
            raise WrongLinesError(wrong)
        return found

    def _take(self, number: int, line: Line, found: Plan) -> None:
        first = self._line_of.setdefault(line.letter, number)
        if first != number:
            raise ValueError(f"{line.letter} is on line {first} too; keep one")
        letter = self._letters.get(line.letter)
        if letter is None:
            raise ValueError(f"there is no dead letter {line.letter}, or not any more")
        state = state_of(letter, self._marks)
        if not state.is_open:
            found.left[state.value] += 1
        elif not self._choice.takes(letter):
            found.left[NOT_CHOSEN] += 1
        else:
            found.ready.append(ready(line.letter, line.payload, self._latest))


def line_of(text: bytes) -> Line:
    """One line read; raises ValueError with a sentence for people.

    >>> line_of(b'{"topic": "events.cart", "partition": 1, "offset": 7, "event": {"type": "cart"}}').payload
    b'{"type": "cart"}'
    """
    try:
        read = _DECODER.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"is no line of `rekindle dlq list --json` ({error})") from None
    payloads = [bytes(each) for each in (read.event, read.payload) if not isinstance(each, UnsetType)]
    if len(payloads) != 1:
        which = "both `event` and `payload`" if payloads else "neither `event` nor `payload`"
        raise ValueError(f"has {which}; it needs one of them")
    return Line(Place(read.topic, read.partition, read.offset), payloads[0])
