"""Which nodes of a workflow run, by what a server says of their classes."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient._http import Transport
from comfyclient._tracking.outputs import OutputClasses
from comfyclient.config import ClientConfig
from comfyclient.resources import Nodes
from comfyclient.workflow import Workflow
from tests.fakes import Answer, FlakyServer, json_reply, reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes import Request


class Catalogue(FlakyServer):
    """Knows a class by its first letter: ``S`` for outputs, ``U`` for those that are not installed."""

    broken = False

    def _answer(self, request: Request) -> Answer:
        self.requests.append(request)
        name = request.path.rpartition("/")[2]
        if self.broken:
            return reply(500)
        info = {"input": {}, "output": [], "name": name, "output_node": name.startswith("S")}
        return json_reply({} if name.startswith("U") else {name: info})

    @property
    def asked(self) -> list[str]:
        return sorted(request.path.rpartition("/")[2] for request in self.requests)


@pytest.fixture
def catalogue() -> Iterator[Catalogue]:
    with Catalogue() as server:
        yield server


@pytest.fixture
def outputs(catalogue: Catalogue) -> Iterator[OutputClasses]:
    with closing(Transport(ClientConfig(url=catalogue.url, retry=None, read_timeout=10))) as transport:
        yield OutputClasses(Nodes(transport))


def workflow(**nodes: list[str]) -> Workflow:
    """From ``Save_a=["Load_b"]``: a node of class ``Save`` that uses one of class ``Load``."""
    graph: dict[str, Any] = {}
    for name, sources in nodes.items():
        inputs = {f"input {i}": [source, 0] for i, source in enumerate(sources)}
        graph[name] = {"class_type": name.partition("_")[0], "inputs": {"value": 1, **inputs}}
    return Workflow(graph)


def test_a_single_end_needs_no_question(outputs: OutputClasses, catalogue: Catalogue) -> None:
    document = workflow(Save_1=["Crop_1", "Load_1"], Crop_1=["Load_1"], Load_1=[])
    outputs.learn(document)
    assert outputs.is_clear(document)
    assert outputs.needed(document) == {"Save_1", "Crop_1", "Load_1"}
    assert catalogue.asked == []


def test_what_no_output_needs_is_peeled_off(outputs: OutputClasses, catalogue: Catalogue) -> None:
    document = workflow(Save_1=["Load_1"], Load_1=[], Blur_1=["Crop_1", "Crop_1"], Crop_1=["Load_1", "Dim_1"], Dim_1=[])
    assert not outputs.is_clear(document)
    assert outputs.needed(document) == set(document), "nothing is known yet"
    outputs.learn(document)
    assert outputs.is_clear(document)
    assert outputs.needed(document) == {"Save_1", "Load_1"}
    assert "Load" not in catalogue.asked


def test_an_output_in_the_middle_is_kept(outputs: OutputClasses) -> None:
    document = workflow(Save_1=[], Blur_1=["Show_1"], Show_1=["Load_1"], Load_1=[])
    outputs.learn(document)
    assert outputs.needed(document) == set(document) - {"Blur_1"}


def test_each_class_is_asked_for_once(outputs: OutputClasses, catalogue: Catalogue) -> None:
    document = workflow(Save_1=[], Save_2=[], Unknown_1=[], Blur_1=[])
    outputs.learn(document)
    outputs.learn(document)
    assert catalogue.asked == ["Blur", "Save", "Unknown"]
    assert outputs.needed(document) == {"Save_1", "Save_2", "Unknown_1"}
    assert outputs.is_clear(workflow(Save_9=[], Blur_9=[]))


def test_refused_outputs_do_not_run(outputs: OutputClasses) -> None:
    document = workflow(Save_1=["Load_1"], Save_2=["Crop_1"], Crop_1=["Load_1"], Load_1=[])
    outputs.learn(document)
    assert outputs.needed(document, {"Save_2"}) == {"Save_1", "Crop_1", "Load_1"}, "Crop may be one"
    outputs.learn(workflow(Crop_1=[], Blur_1=[]))
    assert outputs.needed(document, {"Save_2"}) == {"Save_1", "Load_1"}


def test_a_server_that_does_not_answer_is_let_be(outputs: OutputClasses, catalogue: Catalogue) -> None:
    catalogue.broken = True
    document = workflow(Save_1=[], Blur_1=[])
    outputs.learn(document)
    assert outputs.needed(document) == {"Save_1", "Blur_1"}
    catalogue.broken = False
    outputs.learn(document)
    assert outputs.needed(document) == {"Save_1"}


def test_links_to_nowhere_and_cycles_change_nothing(outputs: OutputClasses) -> None:
    document = workflow(Save_1=["Gone_1"], Blur_1=["Crop_1"], Crop_1=["Blur_1"], Load_1=["Load_1"], Dim_1=[])
    outputs.learn(document)
    assert outputs.needed(document) == {"Save_1", "Blur_1", "Crop_1", "Load_1"}
