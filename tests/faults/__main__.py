"""Play the matrix and write its page, or run jobs under random faults: ``python -m tests.faults --help``."""

from __future__ import annotations

import argparse
import gc
import resource
import sys
import threading
import time
from collections import Counter

from tests.conftest import open_sockets
from tests.faults import page
from tests.faults.matrix import CELLS
from tests.faults.places import Embedded
from tests.faults.playing import play
from tests.faults.schedule import ENDS, run

_JOBS, _WARM = 300, 2
"""Jobs of a round, and rounds after which nothing may grow any more."""
_GROWTH = 1.2


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    commands = parser.add_subparsers(dest="action", required=True)
    commands.add_parser("page", help="play every cell on the embedded server and write docs/explanation/faults.md")
    soaking = commands.add_parser("soak", help="run jobs under random faults on the embedded server, and count")
    soaking.add_argument("--minutes", type=float, default=10)
    soaking.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    if options.action == "soak":
        return soak(options.minutes, options.seed)
    place = Embedded()
    with place.server:
        page.write({cell: future.result() for cell, future in play(CELLS, place).items()})
    return 0


def soak(minutes: float, seed: int) -> int:
    """Run rounds of jobs until the time is up; whether the books balance and nothing grew."""
    deadline = time.monotonic() + 60 * minutes
    rounds: list[tuple[int, int, int]] = []
    total: Counter[str] = Counter()
    while len(rounds) < _WARM + 1 or time.monotonic() < deadline:
        place = Embedded()
        with place.server:
            ledger = run(place, _JOBS, seed + len(rounds))
        ledger.check()
        gc.collect()
        total += Counter(entry.end for entry in ledger.entries)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        rounds.append((threading.active_count(), len(open_sockets()), memory))
        print(f"seed {seed + len(rounds) - 1}: {ledger}; {rounds[-1][0]} threads, {rounds[-1][1]} sockets, {memory} MB")
    print(f"{total.total()} submitted: {', '.join(f'{total[end]} {end}' for end in (*ENDS, 'refused'))}")
    (threads, sockets, memory), last = rounds[_WARM - 1], rounds[-1]
    flat = last[0] <= threads and last[1] <= sockets and last[2] <= memory * _GROWTH
    print("threads, sockets and memory stayed flat" if flat else "something grew")
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
