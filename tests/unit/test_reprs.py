"""What a terminal shows of everything public: never a secret, never a page, and never a question to the server."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

import comfyclient
from comfyclient import Client, Workflow, builder, errors, events, resources, types
from comfyclient._convert import structure
from comfyclient._lazy import LazyMapping
from comfyclient.builder import Builder
from comfyclient.builder.graph import Graph
from comfyclient.types import NodeInfo
from tests.captures import catalog
from tests.fakes import FlakyServer
from tests.nouns import NOUNS
from tests.workflows import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

HIDDEN = "hunter2"
MODULES = (comfyclient, resources, types, events, builder)
CLASSES = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in MODULES
    for name in module.__all__
    if inspect.isclass(getattr(module, name))
}
NEVER_MADE = {events.Event}
"""Only those that derive from it are."""


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_every_class_says_more_than_where_it_is_in_memory(cls: type) -> None:
    own = any("__repr__" in vars(each) for each in cls.__mro__ if each is not object)
    assert own or cls in NEVER_MADE


@pytest.fixture
def client() -> Iterator[Client]:
    with FlakyServer() as server:
        url = server.url.replace("//", f"//me:{HIDDEN}@")
        secrets: dict[str, Any] = {
            "headers": {"X-Key": HIDDEN},
            "cookies": {"session": HIDDEN},
            "params": {"key": HIDDEN},
            "api_key_comfy_org": HIDDEN,
            "auth_token_comfy_org": HIDDEN,
        }
        with Client(url, **secrets) as client:
            yield client
        assert not server.requests


def noun(client: Client, path: str) -> Any:
    found: Any = client
    for name in path.split("."):
        found = getattr(found, name)
    return found


@pytest.mark.parametrize("path", NOUNS)
def test_a_noun_names_its_server_and_no_secret(client: Client, path: str) -> None:
    shown = repr(noun(client, path))
    assert shown == f"<{NOUNS[path].__name__} of {client.config.shown_url}>"
    assert HIDDEN not in shown


def test_a_client_and_its_config_show_no_secret(client: Client) -> None:
    assert HIDDEN not in repr(client) + repr(client.config)


def test_values_of_a_workflow_are_not_shown() -> None:
    graph = plain(1)
    graph["1"]["inputs"]["api_key"] = HIDDEN
    workflow = Workflow(graph)
    assert HIDDEN not in repr(workflow) + repr(workflow["1"]) + repr(workflow.draw())


def test_an_error_of_a_job_is_one_line() -> None:
    error = errors.JobFailed("p", "1", "A", "B", "ValueError", "bad", ("x\n",) * 1000, {"api_key": [HIDDEN]})
    assert repr(error) == "JobFailed(\"node 1 'B' (A) raised ValueError: bad\")"


def test_classes_of_nodes_and_their_catalogue_are_short() -> None:
    found = LazyMapping(catalog(), lambda entry: structure(entry, NodeInfo))
    for name in found:
        assert len(repr(found[name])) < 1000
        assert all("choices=<" in repr(each) for each in found[name].inputs.values() if len(each.choices or ()) > 20)


def test_what_is_built_tells_how_much() -> None:
    graph = Graph()
    graph.add({"class_type": "A", "inputs": {}})
    assert repr(graph) == "<Graph with 1 node>"
    assert repr(Builder({})) == "<Builder with 0 nodes, from 0 classes>"


def test_a_queue_of_events_tells_how_many() -> None:
    queue: comfyclient.EventQueue[Any] = comfyclient.EventQueue(past=[events.Connected()])
    assert repr(queue) == "<EventQueue with 1 event>"
    queue.close()
    assert repr(queue) == "<EventQueue with 1 event, closed>"


def test_progress_tells_how_far_it_is() -> None:
    assert repr(comfyclient.SweepProgress(50, [])) == "<SweepProgress 0%: 0 of 50 done>"
