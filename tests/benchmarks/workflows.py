"""The largest of the official templates against the catalogue, beside ``json.loads`` of the template's bytes."""

from __future__ import annotations

import gc
import json
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from comfyclient import Workflow
from comfyclient.builder import to_python
from tests.benchmarks.measure import SECONDS
from tests.editor import answers, templates

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.measure import Measured


def json_loads(times: int) -> Measured:
    """The base: ``json.loads``."""
    return _least(lambda: json.loads(body()), times)


def converted(times: int) -> Measured:
    """``Workflow.load`` with a catalogue that is parsed already: from the bytes to the prompt."""
    nodes = catalogue()
    return _least(lambda: Workflow.load(body(), catalog=nodes), times)


def validated(times: int) -> Measured:
    """``Workflow.validate`` of that prompt."""
    nodes = catalogue()
    workflow = Workflow.load(body(), catalog=nodes)
    return _least(lambda: workflow.validate(nodes), times)


def saved(times: int) -> Measured:
    """``Workflow.to_editor``, which lays it out anew."""
    nodes = catalogue()
    workflow = Workflow(Workflow.load(body(), catalog=nodes).to_api())
    return _least(lambda: workflow.to_editor(nodes), times)


def written(times: int) -> Measured:
    """``to_python``, which builds the workflow meanwhile."""
    nodes = catalogue()
    workflow = Workflow.load(body(), catalog=nodes)
    return _least(lambda: to_python(workflow, nodes), times)


@cache
def body() -> bytes:
    """The template, as the package has it."""
    return templates.largest()


@cache
def catalogue() -> dict[str, Any]:
    """The nodes that it is made of."""
    return answers.catalogue()


def _least(do: Callable[[], Any], times: int) -> Measured:
    """The processor's time of the fastest one, since whatever else the machine does only adds to it."""
    took = []
    for _ in range(times):
        gc.collect()
        start = time.process_time()
        do()
        took.append(time.process_time() - start)
    return {SECONDS: min(took)}
