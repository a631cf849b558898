"""Tastes: what a user looks at, as shares of actions by category, brand, channel, price band and hour (UTC)."""

from typing import Final

from xxhash import xxh3_64_intdigest

from schemas.examples import Tastes
from schemas.times import NEVER
from tables.dimensions import DIMENSIONS
from tables.portrait import Portrait
from tables.row import Row

BUCKETS: Final = 1_024
"""Values are told apart by so many hashes: however many there are, a model has room."""
MIN_ACTIONS: Final = 20
"""Of fewer actions nothing is made."""
WHOLE: Final = 1_000


def tastes_of(row: Row) -> Tastes | None:
    """The tastes of one row; None where too little is known."""
    if row.portraits.added < MIN_ACTIONS:
        return None
    portrait = row.portraits.before(NEVER)
    return tastes_in(portrait) if portrait.hour.observed >= MIN_ACTIONS else None


def tastes_in(portrait: Portrait) -> Tastes:
    """Thousandths of the actions in each dimension, by bucket; whole numbers, so that they are the same everywhere."""
    found: Tastes = {}
    for dimension in DIMENSIONS:
        interest = portrait.interest(dimension)
        whole = sum(interest.weights.values()) + interest.lost
        for value, weight in interest.weights.items():
            bucket = xxh3_64_intdigest(f"{dimension}={value}".encode()) % BUCKETS
            if share := WHOLE * weight // whole if whole else 0:
                found[bucket] = found.get(bucket, 0) + share
    return dict(sorted(found.items()))
