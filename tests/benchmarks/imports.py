"""Target 13: what importing the package costs, and what it does not import."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tests.benchmarks.measure import SECONDS

if TYPE_CHECKING:
    from tests.benchmarks.measure import Measured

_HEAVY = ("PIL", "numpy", "tqdm")


def statement(code: str) -> Measured:
    """The time of a fresh interpreter that executes a statement."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return {SECONDS: time.perf_counter() - start}


def heavy_modules(code: str) -> list[str]:
    """Which large packages are loaded after a statement, though most users never need them."""
    script = f"{code}; import sys; print(*(sys.modules.keys() & {set(_HEAVY)!r}))"
    return subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.split()
