import numpy as np
import pytest

from agents.churn.models.reservoir import Reservoir
from schemas.times import DAY_MS


def filled(capacity: int, instants: int, users: int) -> Reservoir:
    reservoir = Reservoir(capacity)
    for instant in range(instants):
        x = np.full((users, 2), float(instant))
        reservoir.add(x, np.arange(users, dtype=np.float64) % 2, instant * DAY_MS)
    return reservoir


def test_all_stay_while_there_is_room() -> None:
    known = filled(1_000, 10, 100).examples()
    assert len(known.y) == 1_000
    assert known.days_ago[0] == 9
    assert known.days_ago[-1] == 0


@pytest.mark.parametrize("users", [30, 100, 5_000])
def test_it_never_holds_more_than_its_capacity(users: int) -> None:
    for instants in (1, 11, 60):
        assert 0 < len(filled(1_000, instants, users)) <= 1_000


def test_newer_instants_are_kept_in_greater_number() -> None:
    known = filled(1_000, 60, 500).examples()
    count = np.bincount(known.x[:, 0].astype(int))
    assert 0 < count[30] < count[50] < count[59] < 100
    assert count.sum() > 950


def test_labels_stay_with_their_rows_and_both_are_thinned_evenly() -> None:
    reservoir = Reservoir(100)
    users = np.arange(4_000, dtype=np.float64)
    reservoir.add(np.stack([users, users], axis=1), users, DAY_MS)
    known = reservoir.examples()
    assert (known.x[:, 0] == known.y).all()
    assert np.diff(known.y) == pytest.approx(np.full(len(known.y) - 1, 4_000 / len(known.y)), abs=1)


def test_what_is_restored_is_the_same() -> None:
    reservoir, again = filled(1_000, 60, 500), Reservoir(1_000)
    again.restore(reservoir.parts())
    assert again.parts() == reservoir.parts()
