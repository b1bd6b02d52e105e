"""Measure the SDK against its targets: ``python -m tests.benchmarks --help``."""

from __future__ import annotations

import argparse
import sys

from tests.benchmarks.report import Row, for_terminal, write_page
from tests.benchmarks.suite import BENCHMARKS, Stage


def main() -> int:
    """Measure, print the table, and say by the exit status whether every bound holds."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Measure the SDK against its targets. A full run takes less than twenty minutes and writes its "
        "table into docs/explanation/performance.md; the machine should have nothing else to do.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these of {', '.join(BENCHMARKS)}")
    parser.add_argument("--rounds", type=int, default=5, help="the median counts (default: 5)")
    parser.add_argument("--quick", action="store_true", help="one small round, only to see that everything works")
    options = parser.parse_args()
    if unknown := set(options.names) - BENCHMARKS.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; there is {', '.join(BENCHMARKS)}")

    rows: list[Row] = []
    with Stage(1 if options.quick else options.rounds, quick=options.quick) as stage:
        for name in options.names or BENCHMARKS:
            print(f"{name} ", end="", file=sys.stderr, flush=True)
            rows += BENCHMARKS[name](stage)
    print(for_terminal(rows))
    if options.quick:
        return 0
    if not options.names:
        write_page(rows, options.rounds)
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
