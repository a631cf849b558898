"""Decoding with all checks beside decoding with none: msgspec into structs, and orjson into dicts, in one run."""

from collections.abc import Callable
from statistics import median
from time import process_time

import orjson

from bench.load import payloads
from schemas.decode import decode

ROUNDS = 7


def main(events: int = 100_000) -> None:
    """Print both, in turn, and the median of the ratios."""
    load = list(payloads(events, users=10_000))
    pairs = [(_cpu_us(decode, load), _cpu_us(orjson.loads, load)) for _ in range(ROUNDS)]
    print(f"decode with checks        {median(ours for ours, _ in pairs):.2f} us an event")
    print(f"orjson.loads, no checks   {median(floor for _, floor in pairs):.2f} us an event")
    print(f"ratio                     {median(ours / floor for ours, floor in pairs):.2f}")


def _cpu_us(work: Callable[[bytes], object], load: list[bytes]) -> float:
    started = process_time()
    for payload in load:
        work(payload)
    return (process_time() - started) / len(load) * 1e6


if __name__ == "__main__":
    main()
