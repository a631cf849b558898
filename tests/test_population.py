"""Population against a brute force that replays each user's effective history."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from app.population import MAX_TAGS_BY_HAND, STATES, Move, Population, State
from schemas.changes import LIFECYCLE, PURCHASE, TagChange
from schemas.events import Scalar
from schemas.times import DAY_MS, Millis

BASE_MS = 20_000 * DAY_MS  # 2024-10-04
USERS = ("u1", "u2", "u3")
TAGS = (LIFECYCLE, PURCHASE)

Step = tuple[int, int, bool, State | None, int]
"""User, lifecycle, whether the newest change is withdrawn, else the state to go to and the hours until then."""

steps: st.SearchStrategy[list[Step]] = st.lists(
    st.tuples(
        st.integers(0, 2), st.integers(0, 1), st.booleans(), st.sampled_from((*STATES, None)), st.integers(0, 100)
    ),
    max_size=60,
)


def change(  # noqa: PLR0913, PLR0917  a change has that many parts
    n: int, user: str, tag: str, before: Scalar, after: Scalar, at: Millis, corrects: str | UnsetType = UNSET
) -> TagChange:
    return TagChange(
        id=f"{user}/{tag}/{at}/{n}",
        user_id=user,
        tag=tag,
        from_=before,
        to=after,
        at=at,
        cause="timer",
        rule_version=1,
        corrects=corrects,
    )


@dataclass
class Brute:
    """Each user's changes that no record corrects, newest last, and every record that was said."""

    kept: dict[tuple[str, str], list[TagChange]] = field(default_factory=dict)
    said: list[TagChange] = field(default_factory=list)

    def step(self, step: Step) -> None:
        user, tag, withdraw, to, hours = USERS[step[0]], TAGS[step[1]], *step[2:]
        history = self.kept.setdefault((user, tag), [])
        if withdraw and history:
            old = history.pop()
            self.said.append(change(len(self.said), user, tag, old.to, old.from_, old.at, corrects=old.id))
            return
        before, last = (history[-1].to, history[-1].at) if history else (None, BASE_MS)
        if before != to:
            history.append(change(len(self.said), user, tag, before, to, last + hours * DAY_MS // 24))
            self.said.append(history[-1])

    def moves(self, tag: str) -> list[TagChange]:
        return [move for (_, kept_tag), history in self.kept.items() if kept_tag == tag for move in history]

    def states_before(self, tag: str, end: Millis) -> dict[str, int]:
        counts = dict.fromkeys(map(str, STATES), 0)
        for (_, kept_tag), history in self.kept.items():
            past = [move.to for move in history if move.at < end]
            if kept_tag == tag and past and past[-1] is not None:
                counts[str(past[-1])] += 1
        return counts


def played_changes(plan: list[Step]) -> tuple[Brute, list[TagChange]]:
    brute = Brute()
    for step in plan:
        brute.step(step)
    return brute, brute.said


def played(plan: list[Step]) -> tuple[Brute, Population]:
    population = Population()
    brute, said = played_changes(plan)
    for change in said:
        population.add(change)
    return brute, population


def following(*moves: tuple[State | None, State | None, Millis]) -> Population:
    population = Population()
    for n, (before, after, at) in enumerate(moves):
        population.add(change(n, "u1", LIFECYCLE, before, after, at))
    return population


@given(steps, st.integers(0, 3))
def test_every_day_counts_the_users_whose_last_effective_change_led_there(plan: list[Step], idle_days: int) -> None:
    brute, population = played(plan)
    for tag in TAGS:
        times = [move.at for move in brute.moves(tag)]
        until = max(times, default=BASE_MS) + idle_days * DAY_MS
        days, counts = population.by_day(tag, until)
        first = min(times, default=until + DAY_MS) // DAY_MS
        assert [date(1970, 1, 1).toordinal() + day for day in range(first, until // DAY_MS + 1)] == [
            day.toordinal() for day in days
        ]
        for place in range(len(days)):
            end = (first + place + 1) * DAY_MS
            assert {state: counts[state][place] for state in STATES} == brute.states_before(tag, end)


@given(steps)
def test_states_and_flows_are_those_of_the_effective_histories(plan: list[Step]) -> None:
    brute, population = played(plan)
    for tag in TAGS:
        assert population.states(tag) == brute.states_before(tag, 2**62)
        assert population.flows(tag) == Counter((move.from_, move.to) for move in brute.moves(tag))
        assert population.withdrawn(tag) == sum(c.tag == tag and c.corrects is not UNSET for c in brute.said)


def test_a_withdrawal_takes_the_move_off_its_own_day() -> None:
    # active day 0 ... silent day 30, withdrawn by a click of day 29
    population = following((None, "active", BASE_MS), ("active", "silent", BASE_MS + 30 * DAY_MS))
    population.add(change(2, "u1", LIFECYCLE, "silent", "active", BASE_MS + 30 * DAY_MS, corrects="x"))
    _, counts = population.by_day(LIFECYCLE, BASE_MS + 31 * DAY_MS)
    assert counts["active"] == [1] * 32
    assert counts["silent"] == [0] * 32
    assert population.flows(LIFECYCLE) == {(None, "active"): 1}
    assert population.withdrawn(LIFECYCLE) == 1


def test_a_day_ends_with_its_last_millisecond() -> None:
    population = following((None, "active", BASE_MS), ("active", "silent", BASE_MS + DAY_MS - 1))
    days, counts = population.by_day(LIFECYCLE, BASE_MS + DAY_MS)
    assert days == [date(2024, 10, 4), date(2024, 10, 5)]
    assert counts["silent"] == [1, 1]


def test_who_is_erased_leaves_and_is_in_no_state() -> None:
    population = following((None, "active", BASE_MS), ("active", None, BASE_MS + DAY_MS))
    assert population.states(LIFECYCLE) == {"unactivated": 0, "active": 0, "silent": 0, "lost": 0}
    assert population.by_day(LIFECYCLE, BASE_MS + DAY_MS)[1]["active"] == [1, 0]


def test_a_day_of_which_nothing_remained_is_not_the_first() -> None:
    population = following((None, "active", BASE_MS))
    population.add(change(1, "u1", LIFECYCLE, "active", None, BASE_MS, corrects="x"))
    assert population.by_day(LIFECYCLE, BASE_MS) == ([], {state: [] for state in STATES})


def test_moves_come_in_display_order() -> None:
    population = following(("lost", None, BASE_MS), ("silent", "lost", BASE_MS), (None, "active", BASE_MS))
    moves: list[Move] = [(None, "active"), ("silent", "lost"), ("lost", None)]
    assert list(population.flows(LIFECYCLE)) == moves


def test_other_tags_are_ignored() -> None:
    population = Population()
    population.add(change(0, "u1", "vip", None, value := "gold", BASE_MS))
    assert value not in population.states(LIFECYCLE)
    assert population.flows(LIFECYCLE) == population.flows(PURCHASE) == {}


@pytest.mark.parametrize("value", ["asleep", True, 1.5])
def test_a_lifecycle_knows_only_its_states(value: Scalar) -> None:
    with pytest.raises(ValueError, match="is no state of lifecycle"):
        Population().add(change(0, "u1", LIFECYCLE, None, value, BASE_MS))


def test_tags_of_rules_are_there_before_anybody_has_them_and_those_set_by_hand_follow() -> None:
    population = Population(["tier", "new_user"])
    population.add(change(0, "u1", "by.hand", None, "gold", BASE_MS))
    population.add(change(1, "u1", "tier", None, "vip", BASE_MS))
    assert {tag: moves.users() for tag, moves in population.tags.items()} == {
        "new_user": {},
        "tier": {b'"vip"': 1},
        "by.hand": {b'"gold"': 1},
    }


def test_names_that_come_with_events_take_only_so_much_room() -> None:
    population = Population(["tier"])
    for n in range(MAX_TAGS_BY_HAND + 5):
        population.add(change(n, "u1", f"t{n}", None, True, BASE_MS))
    population.add(change(0, "u1", "tier", None, "vip", BASE_MS))
    assert list(population.tags) == ["tier", *(f"t{n}" for n in range(MAX_TAGS_BY_HAND))]
    assert population.tags["tier"].users() == {b'"vip"': 1}
