"""`python -m tests.fuzz --seconds 600`: feeds every parser with inputs that are nearly right, for the time given.

Every target gets its share of the time. What fails is told with the smallest input that makes it so, the others go on,
and the exit code is 1. `--only NAME` runs some of them, `--seed N` repeats a run.
"""

import argparse
import faulthandler
import resource
import secrets
import sys
import time
import traceback
from pathlib import Path
from typing import Final

from tests.fuzz.target import HANG_S, Target
from tests.fuzz.targets import TARGETS

MEMORY_BYTES: Final = 3 * 2**30
"""Above what is needed at the start: more is a fault."""
FRAMES: Final = 8
"""So much of the stack is shown of a fault: the deepest part."""
STUCK_S: Final = 30 * HANG_S


def main() -> int:
    """Run, and tell the executions of each target; 1 where one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="for all targets together (600)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31), help="default: another one each time")
    parser.add_argument("--only", nargs="*", default=[], help="names of targets")
    given = parser.parse_args()
    targets = [target for target in TARGETS if not given.only or target.name in given.only]
    _limit_memory()
    print(f"seed {given.seed}: {len(targets)} targets, {given.seconds / len(targets):.0f} s each", flush=True)
    failed = [target.name for target in targets if not _runs(target, given.seconds / len(targets), given.seed)]
    print(f"failed: {', '.join(failed)}" if failed else "no faults")
    return 1 if failed else 0


def _runs(target: Target, seconds: float, seed: int) -> bool:
    faulthandler.dump_traceback_later(seconds + STUCK_S, exit=True)  # also where no Python code is reached any more
    started = time.monotonic()
    try:
        runs = target.run(seconds, seed)
    except Exception:  # noqa: BLE001  whatever it is, the other targets are run too
        traceback.print_exc(limit=-FRAMES)
        print(f"{target.name:<22} FAILED", flush=True)
        return False
    finally:
        faulthandler.cancel_dump_traceback_later()
    took = time.monotonic() - started
    print(f"{target.name:<22} {runs:>10,} executions {runs / took:>10,.0f} a second", flush=True)
    return True


def _limit_memory() -> None:
    """Let an input that asks for more memory than there should be fail by a MemoryError."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    sys.exit(main())
