"""What expressions of a rules file may name: its tags, and its population."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

Population: TypeAlias = Mapping[str, Mapping[str, float]]
"""Shares of a whole population, by dimension and value: what `lift` compares with."""


class Scope(NamedTuple):
    """What is known beyond the catalogue of functions."""

    tags: AbstractSet[str] = frozenset()
    population: Population = MappingProxyType({})
