"""`python -m tests.chaos --seed 1`: one campaign after another, and their report."""

import argparse
import signal
import sys
from functools import partial
from pathlib import Path

from rich.console import Console

from tests.chaos.campaign import FULL, SHORT, Report, run_alone
from tests.chaos.report import table, written

_OUT = Console(highlight=False, stderr=True)


def main() -> None:
    """Run the campaigns; exit code 1 if a law was broken."""
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whatever was started is ended then, too
    reports = [_campaign(seed, options) for seed in options.seed]
    options.out.mkdir(parents=True, exist_ok=True)
    text = written(reports)
    (options.out / "chaos.md").write_text(text, encoding="utf-8")
    _OUT.print(f"{options.out / 'chaos.md'}", markup=False)
    sys.exit(not all(report.holds for report in reports))


def _campaign(seed: int, options: argparse.Namespace) -> Report:
    def tell(line: str) -> None:
        _OUT.print(f"seed {seed}: {line}", markup=False, soft_wrap=True)

    folder = options.out / f"seed-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    report = run_alone(seed, SHORT if options.short else FULL, folder, tell)
    _OUT.print(table(report))
    return report


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Fault campaigns on a whole system.")
    add = partial(parser.add_argument, metavar="...")
    add("--seed", type=int, nargs="+", default=[1, 2, 3, 4, 5], help="a campaign for each (default: %(default)s)")
    add("--out", type=Path, default=Path("out/chaos"), help="folder for logs and the report (default: %(default)s)")
    parser.add_argument("--short", action="store_true", help="two minutes, as in make check")
    return parser.parse_args()


if __name__ == "__main__":
    main()
