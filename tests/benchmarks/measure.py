"""How things are measured: variants in turn within a round, each in a fresh interpreter where that matters."""

from __future__ import annotations

import importlib
import json
import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

T = TypeVar("T")

SECONDS = "seconds"
Measured = dict[str, float]
"""What was measured, by name: ``SECONDS`` and perhaps more."""


def in_turn(
    variants: Mapping[str, Callable[[], Measured]], rounds: int, *, tries: int = 3
) -> list[dict[str, Measured]]:
    """Measure every variant in each round, in an order that changes, so that no drift favours one of them.

    Args:
        variants: By name, what does the work and says what it took.
        rounds: How many rounds.
        tries: How often in each round. The least counts, as the one that was least disturbed by whatever else the
            machine has to do.

    Returns:
        What each variant took, for each round.
    """
    measured = []
    for _ in range(rounds):
        results: dict[str, list[Measured]] = {name: [] for name in variants}
        for _ in range(tries):
            for name in random.sample(list(variants), len(variants)):
                results[name].append(variants[name]())
            print(".", end="", file=sys.stderr, flush=True)
        measured.append({name: _least(several) for name, several in results.items()})
    print(file=sys.stderr)
    return measured


def _least(several: list[Measured]) -> Measured:
    return {key: min(one[key] for one in several) for key in several[0]}


def ratios(measured: Iterable[Mapping[str, Measured]], over: str, base: str, key: str = SECONDS) -> tuple[float, ...]:
    """One variant in terms of another, round by round."""
    return tuple(one[over][key] / one[base][key] for one in measured)


def values(measured: Iterable[Mapping[str, Measured]], variant: str, key: str) -> tuple[float, ...]:
    """What one variant measured, round by round."""
    return tuple(one[variant][key] for one in measured)


def in_fresh_python(function: Callable[..., T], *, without: Sequence[str] = (), **arguments: Any) -> T:
    """Call a function of this package in an interpreter of its own; arguments and result are JSON.

    Args:
        function: The function, by its module and name.
        without: Modules that cannot be imported there, as if they were not installed.
        **arguments: What to call it with.
    """
    command = [sys.executable, "-m", __name__, function.__module__, function.__name__, ",".join(without)]
    done = subprocess.run(
        [*command, json.dumps(arguments)], stdout=subprocess.PIPE, check=True, env={**os.environ, "PYTHONHASHSEED": "0"}
    )
    result: T = json.loads(done.stdout)
    return result


def _main() -> None:
    module, function, without, arguments = sys.argv[1:]
    for name in filter(None, without.split(",")):
        sys.modules[name] = None  # type: ignore[assignment]  # this is how importing it is made to fail
    result = getattr(importlib.import_module(module), function)(**json.loads(arguments))
    print(json.dumps(result))


if __name__ == "__main__":
    _main()
