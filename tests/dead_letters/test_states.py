"""What has become of each letter, from the records of both topics; and a brute-force model of it."""

from dataclasses import dataclass, field
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dead_letters.letter import Letter, Place, letter_of
from app.dead_letters.marks import Marks, mark_record
from app.dead_letters.plan import plan
from app.dead_letters.state import State, state_of
from app.settings import Clock
from schemas.dead_letter import MAX_PAYLOAD_BYTES, Rejected, dead_letter

CLICK: Final = b'{"type":"click","event_id":"e","user_id":"u","ts":1700000000000,"item_id":"i"}'
LARGE: Final = CLICK + b" " * MAX_PAYLOAD_BYTES


def record_of(place: Place, payload: bytes = CLICK) -> bytes:
    return msgspec.json.encode(dead_letter(*place, payload, Rejected("wrong_partition", "because")))


def letter_at(place: Place, payload: bytes = CLICK) -> Letter:
    letter = letter_of(1, record_of(place, payload))
    assert letter is not None
    return letter


def marks_of(*records: tuple[bytes | None, bytes | None]) -> Marks:
    marks = Marks()
    for key, value in records:
        marks.read(key, value)
    return marks


A: Final = Place("events.click", 0, 1)
B: Final = Place("events.click", 1, 7)


def test_a_letter_is_known_by_the_place_of_its_record() -> None:
    letter = letter_at(A)
    assert (letter.place, letter.place.key, letter.size, letter.is_cut) == (A, b"events.click/0/1", len(CLICK), False)


def test_a_cut_letter_knows_its_whole_size() -> None:
    letter = letter_at(A, LARGE)
    assert letter.is_cut
    assert letter.size == len(LARGE) > len(letter.payload)


@pytest.mark.parametrize("value", [None, b"", b"[]", b"\xff", b"[" * 100_000, record_of(A).replace(b"wrong_p", b"x")])
def test_what_is_no_letter_is_none(value: bytes | None) -> None:
    assert letter_of(1, value) is None


def test_the_letter_of_a_redriven_record_failed_again() -> None:
    marks = marks_of(mark_record(A, B, at=5))
    assert state_of(letter_at(A), marks) is State.REDRIVEN
    assert state_of(letter_at(B), marks) is State.FAILED_AGAIN
    assert state_of(letter_at(B._replace(offset=8)), marks) is State.WAITING
    assert state_of(letter_at(B._replace(offset=8), LARGE), marks) is State.CUT


def test_a_redriven_cut_letter_is_redriven() -> None:
    assert state_of(letter_at(A, LARGE), marks_of(mark_record(A, B, at=5))) is State.REDRIVEN


@pytest.mark.parametrize("value", [b"", b"{}", b"\xff", b"[" * 100_000])
def test_a_mark_that_cannot_be_read_still_keeps_its_letter(value: bytes) -> None:
    assert state_of(letter_at(A), marks_of((A.key, value), (None, b"x"))) is State.REDRIVEN


def test_only_open_letters_may_be_redriven() -> None:
    assert {state for state in State if state.is_open} == {State.WAITING, State.CUT}


@dataclass
class World:
    """The input topic as a list of records; each knows how often it was sent before, and may become a letter."""

    sent_before: list[int] = field(default_factory=list)
    letters: list[tuple[Place, bytes]] = field(default_factory=list)
    marks: list[tuple[bytes, bytes]] = field(default_factory=list)
    redriven: set[int] = field(default_factory=set)

    def arrive(self, times: int) -> int:
        self.sent_before.append(times)
        return len(self.sent_before) - 1

    def fail(self, number: int, payload: bytes, copies: int) -> None:
        self.letters += [(place(number), payload)] * copies

    def state(self, number: int, payload: bytes) -> State:
        """The model: what is known of the record itself, not of marks."""
        if self.sent_before[number]:
            return State.FAILED_AGAIN
        if number in self.redriven:
            return State.REDRIVEN
        return State.CUT if payload is LARGE else State.WAITING


def place(number: int) -> Place:
    return Place("events.click", number % 3, number)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("fail"), st.booleans(), st.integers(1, 3)),
        st.tuples(st.just("redrive"), st.lists(st.booleans(), max_size=4), st.integers(1, 3)),
    ),
    max_size=20,
)


@given(steps)
def test_states_follow_what_happened_to_each_record(told: list[tuple[str, object, int]]) -> None:
    world = World()
    for kind, choice, number in told:
        if kind == "fail":
            world.fail(world.arrive(0), LARGE if choice else CLICK, number)
        else:
            assert isinstance(choice, list)
            redrive(world, choice, number)
        check(world)
    assert all(times <= 1 for times in world.sent_before)


def redrive(world: World, fails_again: list[bool], limit: int) -> None:
    """Send what is planned; some of it fails again."""
    letters = {letter.place: letter for letter in (letter_at(*each) for each in world.letters)}
    planned = plan(letters.values(), marks_of(*world.marks), Clock.WALL, now=1_800_000_000_000).ready[:limit]
    for each, fails in zip(planned, [*fails_again, *[False] * limit], strict=False):
        before = each.letter.offset
        number = world.arrive(world.sent_before[before] + 1)
        assert before not in world.redriven
        world.redriven.add(before)
        world.marks.append(mark_record(each.letter, place(number), at=5))
        if fails:
            world.fail(number, each.payload, copies=1)


def check(world: World) -> None:
    marks = marks_of(*world.marks)
    for at, payload in world.letters:
        assert state_of(letter_at(at, payload), marks) is world.state(at.offset, payload)
