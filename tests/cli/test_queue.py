"""``comfyclient queue``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from comfyclient.cli.commands.queue import QueueDocument

if TYPE_CHECKING:
    from tests.cli.program import Program
    from tests.contract.sides import Side

pytestmark = pytest.mark.needs_test_nodes


def test_what_runs_and_what_waits(comfyclient: Program, side: Side) -> None:
    gate = side.gate()
    first = side.submit(gate.workflow())
    gate.wait()
    second = side.submit(gate.workflow())
    jobs = comfyclient("queue", "--json").json(QueueDocument)["jobs"]
    assert [(job["prompt_id"], job["status"]) for job in jobs] == [(first, "in_progress"), (second, "pending")]
    assert [line.split("\t")[:2] for line in comfyclient("queue").lines] == [[first, "running"], [second, "waiting"]]
    gate.open()
