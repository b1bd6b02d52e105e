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


def in_turn(variants: Mapping[str, Callable[[], T]], rounds: int) -> list[dict[str, T]]:
    """Measure every variant once in each round, in an order that changes, so that no drift favours one of them."""
    order = list(variants)
    measured = []
    for _ in range(rounds):
        random.shuffle(order)
        measured.append({name: variants[name]() for name in order})
        print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return measured


def ratios(measured: Iterable[Mapping[str, float]], over: str, base: str) -> tuple[float, ...]:
    """One variant in terms of another, round by round."""
    return tuple(one[over] / one[base] for one in measured)


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
