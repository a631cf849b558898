"""A million events through `rekindle backtest`: CPU and memory of the process, beside decoding the lines twice."""

import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from bench.load import payloads
from schemas.decode import decode


def main(events: int = 1_000_000, users: int = 100_000) -> None:
    """Generate, run, and print."""
    with TemporaryDirectory() as folder:
        history = Path(folder) / "history.jsonl"
        history.write_bytes(b"\n".join(payloads(events, users)))
        started = process_time()
        for _ in range(2):
            for line in history.open("rb"):
                decode(line)
        floor_s = process_time() - started
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
        command = [str(Path(sys.executable).with_name("rekindle")), "backtest", str(history), "--out", f"{folder}/out"]
        subprocess.run(command, check=True)  # noqa: S603  our own command
        wall_s = perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"events {events}, users {users}")
    print(f"decode twice          {floor_s:6.1f} s of CPU")
    print(f"rekindle backtest     {cpu_s:6.1f} s of CPU, {cpu_s / floor_s:.1f} times; {wall_s:.1f} s in all")
    print(f"peak memory           {after.ru_maxrss / 1024:6.0f} MiB")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
