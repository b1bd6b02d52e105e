"""What is watched."""

from __future__ import annotations

from tests.testing.nodes import graph, n

STEPS = graph(
    n1=n("Steps", steps=7, previews=True), n2={**n("Show", value=["1", 0]), "_meta": {"title": "Show the number"}}
)
"""Steps with previews, and a text."""
MANY_STEPS = {**STEPS, "1": n("Steps", steps=15)}
"""Enough of them that some are seen on a busy machine, too, if they are slow."""
FAILING = graph(n1=n("Steps", steps=2), n2={**n("Fail", value=["1", 0]), "_meta": {"title": "Trouble"}})
"""Fails at its second node."""
WAITING = graph(n1={**n("Wait"), "_meta": {"title": "Patience"}}, n2=n("Show", value=["1", 0]))
"""Waits at the gate until it is let go on, or interrupted."""
