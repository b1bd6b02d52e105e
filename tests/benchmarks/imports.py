"""Target 13: what importing the package costs, and what it does not import."""

from __future__ import annotations

import subprocess
import sys
import time

_HEAVY = ("PIL", "numpy", "tqdm")


def seconds(statement: str, times: int) -> float:
    """The time of a fresh interpreter that executes a statement, the best of several: the least disturbed one."""
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True)
        best = min(best, time.perf_counter() - start)
    return best


def heavy_modules(statement: str) -> list[str]:
    """Which large packages are loaded after a statement, though most users never need them."""
    script = f"{statement}; import sys; print(*({_HEAVY!r} & sys.modules.keys()))".replace(
        repr(_HEAVY), repr({*_HEAVY})
    )
    return subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.split()
