"""A second of fuzzing for each parser; `make fuzz` has more of them."""

import pytest

from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

SECONDS = 1.0


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_parser_gives_a_value_or_the_error_that_it_promises(target: Target) -> None:
    assert target.run(SECONDS, number=1) > 0


def test_a_fault_is_found_and_told() -> None:
    def check(value: bytes) -> None:
        if b"\xc1" in value:
            raise KeyError(value)

    (target,) = (each for each in TARGETS if each.name == "rows")
    with pytest.raises(KeyError):
        Target("broken", target.batches, check).run(20, number=1)
