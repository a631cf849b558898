"""The newest word wins, whatever arrives last."""

from itertools import permutations

import pytest

from agents.registers import newest, put
from tables.row import Register, Registers

OLD, NEW = Register("old", 4, "e9"), Register("new", 5, "e1")


def test_the_first_word_is_taken() -> None:
    assert newest(None, OLD) is OLD


@pytest.mark.parametrize(("known", "new"), [(OLD, NEW), (NEW, OLD)])
def test_the_later_word_wins(known: Register, new: Register) -> None:
    assert newest(known, new) is NEW


@pytest.mark.parametrize("turned", [False, True])
def test_of_one_moment_the_greater_event_id_wins(turned: bool) -> None:
    less, greater = Register("less", 5, "e1"), Register("greater", 5, "e2")
    assert newest(*((greater, less) if turned else (less, greater))) is greater


def test_of_too_many_names_those_with_the_newest_words_stay_in_every_order() -> None:
    words = [("a", 1, "e"), ("b", 4, "e"), ("c", 2, "x"), ("d", 2, "y"), ("a", 3, "e")]
    for order in permutations(words):
        registers: Registers = {}
        for name, ts, event_id in order:
            put(registers, name, Register(ts, ts, event_id), capacity=3)
        assert {name: each.value for name, each in registers.items()} == {"a": 3, "b": 4, "d": 2}


def test_of_one_event_the_greater_names_stay() -> None:
    for order in permutations("abc"):
        registers: Registers = {}
        for name in order:
            put(registers, name, Register(name, 1, "e"), capacity=2)
        assert sorted(registers) == ["b", "c"]


def test_without_a_capacity_all_stay() -> None:
    registers: Registers = {}
    for number in range(100):
        put(registers, f"{number}", OLD)
    assert len(registers) == 100
