"""What can be wrong with the bands of a score."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from msgspec import UNSET

from schemas.rules import Band


class Fault(NamedTuple):
    """What is wrong, and below which keys of the tag."""

    text: str
    key: str
    more: tuple[str | int, ...] = ()
    at_key: bool = False


def faults_of(bands: Sequence[Band], hysteresis: float) -> Iterator[Fault]:
    """Everything that is wrong with bands and their hysteresis."""
    for place, band in enumerate(bands):
        if place == len(bands) - 1:
            if band.below is not UNSET:
                text = "the last band has no `below`: it takes all the rest"
                yield Fault(text, "bands", (place, "below"), at_key=True)
        elif band.below is UNSET:
            yield Fault("every band but the last needs `below`", "bands", (place,))
        if band.value in [each.value for each in bands[:place]]:
            yield _twice(band, place)
    edges = [band.below for band in bands[:-1] if band.below is not UNSET]
    if len(edges) == len(bands) - 1:
        yield from _faults_of_edges(edges, hysteresis)


def _twice(band: Band, place: int) -> Fault:
    if band.value is UNSET:
        return Fault("there is a band without a value already", "bands", (place,))
    return Fault(f"there is a band {band.value!r} already", "bands", (place, "value"))


def _faults_of_edges(edges: Sequence[float], hysteresis: float) -> Iterator[Fault]:
    for place, (low, high) in enumerate(pairwise(edges), start=1):
        if high <= low:
            yield Fault(f"bands ascend, and {high:g} is not above {low:g}", "bands", (place, "below"))
            return
    narrowest = min((high - low for low, high in pairwise(edges)), default=None)
    if narrowest is not None and hysteresis >= narrowest:
        yield Fault(f"`hysteresis` must be less than the narrowest band, which is {narrowest:g} wide", "hysteresis")
