"""The last arrivals of one user: by which copies are known, and from which a late erasure starts anew.

A ring of at most 64 records of 14 bytes, oldest first: 8 of fingerprint, 6 (big-endian) of ts * 4 + order * 2 +
activity. It is kept as the bytes that are stored, because it is looked at far more often than it is taken apart.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from xxhash import xxh3_64_digest

from schemas.times import Millis

CAPACITY: Final = 64
_FINGERPRINT_BYTES: Final = 8
_TIME_BYTES: Final = 6
_RECORD_BYTES: Final = _FINGERPRINT_BYTES + _TIME_BYTES
_ACTIVITY: Final = 0b01
_ORDER: Final = 0b10

Arrivals: TypeAlias = bytearray


class Arrival(NamedTuple):
    """One arrival, taken apart."""

    ts: Millis
    is_order: bool
    is_activity: bool
    record: bytes


def fingerprint(kind: str, event_id: str) -> bytes:
    """A stable 64-bit hash of (type, event_id).

    Two of a user's last 64 arrivals share one by chance once in 10**17 events.
    """
    return xxh3_64_digest(f"{kind}:{event_id}".encode())


def remember(arrivals: Arrivals, key: bytes, ts: Millis, *, is_activity: bool, is_order: bool) -> None:
    """Append an arrival, and forget the oldest one beyond the capacity. Who asks first uses `key in arrivals`.

    >>> arrivals = Arrivals()
    >>> remember(arrivals, fingerprint("click", "c1"), 1000, is_activity=True, is_order=False)
    >>> fingerprint("click", "c1") in arrivals, fingerprint("click", "c2") in arrivals
    (True, False)
    """
    arrivals += key + (ts << 2 | is_order << 1 | is_activity).to_bytes(_TIME_BYTES)
    if len(arrivals) > CAPACITY * _RECORD_BYTES:
        del arrivals[:_RECORD_BYTES]


def after(arrivals: Arrivals, moment: Millis) -> Arrivals:
    """Those with ts later than the moment."""
    return Arrivals(b"".join(each.record for each in _each(arrivals) if each.ts > moment))


def activities(arrivals: Arrivals) -> list[tuple[Millis, bool]]:
    """(ts, whether it was an order) of each arrival that was activity, in order of ts, orders first."""
    found = [(each.ts, each.is_order) for each in _each(arrivals) if each.is_activity]
    return sorted(found, key=lambda each: (each[0], not each[1]))


def _each(arrivals: Arrivals) -> Iterator[Arrival]:
    for start in range(0, len(arrivals), _RECORD_BYTES):
        record = bytes(arrivals[start : start + _RECORD_BYTES])
        packed = int.from_bytes(record[_FINGERPRINT_BYTES:])
        yield Arrival(packed >> 2, bool(packed & _ORDER), bool(packed & _ACTIVITY), record)
