"""Queries are taken apart as Prometheus does, and what is none is refused."""

import pytest

from tests.promql import PromQLError, Selector, read


def test_selectors_and_labels_of_a_query_are_found() -> None:
    query = 'histogram_quantile(0.99, sum by (le, job) (rate(a_bucket{x="1", y=~"b|c"}[5m]))) > on (z) group_left () b'
    assert read(query) == (
        [Selector("a_bucket", (("x", "=", "1"), ("y", "=~", "b|c")), "[5m]"), Selector("b", (), "")],
        ["le", "job", "z"],
    )


def test_a_selector_takes_what_its_labels_have_to_be() -> None:
    (found,) = read('a{x=~"b|c", y!="d"}').selectors
    assert found.matches("a", {"x": "b", "y": ""})
    assert found.matches("a", {"x": "c"})
    assert not found.matches("a", {"x": "bc"})
    assert not found.matches("a", {"x": "b", "y": "d"})
    assert not found.matches("b", {"x": "b"})


@pytest.mark.parametrize(
    "query",
    [
        "", "sum(", "sum(a))", "sum a", "rate(a)", "a[5m]", "sum(a[5m])", "rate(a[5x])", "rte(a[5m])", 'a{x="1"',
        "a{x=1}", "a{x}", 'a{="1"}', "sum by le (a)", "sum by (le (a)", 'a{x=="1"}', 'a "b"', "a}", "(a}", "a ? b",
        "1 + 1",
    ],
)  # fmt: skip
def test_what_is_no_query_is_refused(query: str) -> None:
    with pytest.raises(PromQLError):
        read(query)
