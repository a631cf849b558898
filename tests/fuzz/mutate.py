"""Inputs that are nearly right: valid ones that are cut, spliced, and have odd bytes put in."""

from collections.abc import Sequence
from typing import Any, Final

from hypothesis import strategies as st

ODD: Final = (
    b"", b"\0", b"\xff", b"\xff\xfe", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\n", b"\r\n", b'"', b"\\ud800", b"\\", b",",
    b"{", b"}", b"[", b"]", b"[" * 3000, b'{"a":' * 1500, b"null", b"true", b"NaN", b"-Infinity", b"1e999", b"-1", b"0",
    b"9" * 400, b"9223372036854775808", b"1e10", b"0.1", b"''", b"-", b":", b"T", b"Z", b"+23:59", b"d",
    b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xc1", b"\xcb\x7f\xf8\0\0\0\0\0\0",
)  # fmt: skip
"""What parsers stumble over: ends of files, broken UTF-8, deep nesting, numbers without end, lengths that are a lie."""

_EDIT_BYTES: Final = 4
_FEW: Final = 200
_SPLICE: Final = 250


def edited(seeds: Sequence[bytes], start: bytes, script: bytes) -> bytes:
    """A value after the edits that a script tells, four bytes each: place (two), how much goes, what comes instead.

    A short script makes few edits, so that failures shrink, and drawing it costs next to nothing.
    """
    value = start
    for first in range(0, len(script) - _EDIT_BYTES + 1, _EDIT_BYTES):
        high, low, removed, put = script[first : first + _EDIT_BYTES]
        place = (high << 8 | low) % (len(value) + 1)
        if put >= _SPLICE:
            other = seeds[removed % len(seeds)]
            value = value[:place] + other[place % (len(other) + 1) :]
        else:
            # one of a few bytes, or much of the rest
            gone = removed % 9 if removed < _FEW else (len(value) - place) * (removed - _FEW) // 56
            value = value[:place] + (ODD[put] if put < len(ODD) else bytes([put])) + value[place + gone :]
    return value


def alone(inputs: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Batches of one input each."""
    return inputs.map(lambda value: [value])


def batches(*seeds: bytes) -> st.SearchStrategy[list[bytes]]:
    """The same edits made to every seed: most of the time goes into drawing them."""
    return st.binary(min_size=1, max_size=24).map(lambda script: [edited(seeds, seed, script) for seed in seeds])


def mutated(*seeds: bytes) -> st.SearchStrategy[bytes]:
    """Valid inputs, most of them damaged, and now and then nothing but noise."""
    starts = st.sampled_from((*seeds, *seeds, b""))
    return st.builds(lambda start, script: edited(seeds, start, script), starts, st.binary(max_size=24))
