"""The context: what is known of a user at a decision."""

from cmath import rect
from math import e, pi

import pytest

from agents.recall.context import context_of
from schemas.times import DAY_MS, HOUR_MS
from tables.lifecycle import Lifecycle
from tables.row import FirstActivity, Register, Row, Totals
from tables.score import Score
from tests.agents.recall.choices import AT, case


def known() -> Row:
    """Came 19 days ago, was here e - 1 days ago, has bought twice for 99.00."""
    last = AT - int((e - 1) * DAY_MS)
    return Row(
        first=FirstActivity(AT - 19 * DAY_MS, "a", "click"),
        lifecycle=Lifecycle(last=last),
        totals=Totals(orders=2, spend=9900),
        score=Score(0.8, AT, DAY_MS, "m", "v"),
    )


def test_numbers_are_logarithms_of_what_the_row_holds() -> None:
    found = context_of(case(row=known()))
    assert found["recency"] == pytest.approx(1.0)
    assert e ** found["age"] == pytest.approx(20)
    assert e ** found["orders"] == pytest.approx(3)
    assert e ** found["spend"] == pytest.approx(100)
    assert found["p_inactive"] == pytest.approx(0.8)


def test_of_nobody_known_there_are_numbers_too() -> None:
    found = context_of(case(row=Row(totals=Totals(orders=-1, spend=-5))))
    assert (found["p_inactive"], found["age"], found["orders"], found["spend"]) == (0.5, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("stated", "everyone", "hour"),
    [(None, "UTC", 6), (None, "+05:30", 11), ("-03:00", "+05:30", 3), ("Mars/Olympus", "+05:30", 11), (7, "+03:00", 9)],
)
def test_the_hour_is_that_of_the_users_clock(stated: str | int | None, everyone: str, hour: int) -> None:
    row = known()
    if stated is not None:
        row.attributes = {"timezone": Register(stated, 0, "p")}
    found = context_of(case(at=AT + 6 * HOUR_MS, row=row, timezone=everyone))
    expected = rect(1, hour / 12 * pi)
    assert complex(found["hour_cos"], found["hour_sin"]) == pytest.approx(expected)
