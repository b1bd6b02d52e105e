"""What notebooks ask for, and what they are given; and that nothing is asked of a server that nobody wants to see."""

from __future__ import annotations

import subprocess
import sys
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from comfyclient import Client, Workflow
from tests.fakes import FlakyServer, json_reply, nobody
from tests.unit.display.page import Page, page_of
from tests.unit.workflow.graphs import graph

QUEUE: dict[str, Any] = {"queue_running": [], "queue_pending": []}


def keys(shown: Any, **options: Any) -> set[str]:
    return set(shown._repr_mimebundle_(**options))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"text/plain", "text/html"}),
        ({"include": {"text/html"}}, {"text/html"}),
        ({"include": ["image/svg+xml", "image/png"]}, {"image/svg+xml"}),
        ({"exclude": {"text/html"}}, {"text/plain"}),
        ({"include": {"text/plain", "text/html"}, "exclude": ["text/plain"]}, {"text/html"}),
        ({"include": set()}, set()),
    ],
)
def test_a_notebook_gets_what_it_asks_for(options: dict[str, Any], expected: set[str]) -> None:
    assert keys(Workflow(graph()).draw(), **options) == expected


def test_text_is_that_of_a_terminal() -> None:
    workflow = Workflow(graph())
    assert workflow._repr_mimebundle_()["text/plain"] == repr(workflow)
    assert workflow.draw()._repr_mimebundle_()["text/plain"] == str(workflow.draw())


def test_an_svg_of_its_own_has_a_ground() -> None:
    bundle = Workflow(graph()).draw()._repr_mimebundle_(include={"image/svg+xml"})
    root = ET.fromstring(bundle["image/svg+xml"])  # noqa: S314 - our own text
    assert root.find("{http://www.w3.org/2000/svg}rect") is not None


def test_nothing_is_asked_for_the_sake_of_text() -> None:
    with FlakyServer() as server, Client(server.url, realtime=False) as client:
        for shown in (client.queue, client.history):
            assert keys(shown, include={"text/plain"}) == {"text/plain"}
            assert keys(shown, exclude={"text/html"}) == {"text/plain"}
            assert server.url in repr(shown)
        assert not server.requests


def test_html_asks_once() -> None:
    with FlakyServer(json_reply(QUEUE)) as server, Client(server.url, realtime=False) as client:
        assert "Queue · 0 running · 0 waiting" in page_of(client.queue).text
        assert [request.path for request in server.requests] == ["/queue"]


def test_without_a_server_the_text_stays_with_the_reason() -> None:
    with nobody() as url, Client(url, realtime=False, retry=None) as client:
        text = page_of(client.queue).text
    assert repr(client.queue) in text
    assert f"no ComfyUI server answers at {url}" in text


def test_a_broken_file_is_no_error_of_the_notebook() -> None:
    page = Page(Workflow({"nodes": [{"type": "<script>"}], "links": []})._repr_mimebundle_()["text/html"])
    assert "no id (<script>)" in page.text
    assert not page.all("script")


IN_A_TERMINAL = """
from IPython.terminal.interactiveshell import TerminalInteractiveShell
from comfyclient import Client
shell = TerminalInteractiveShell.instance()
with Client({url!r}, realtime=False, retry=None) as client:
    print(shell.display_formatter.format(client.queue))
"""


def test_a_terminal_with_ipython_asks_nothing() -> None:
    with FlakyServer() as server:
        code = IN_A_TERMINAL.format(url=server.url)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True)
        assert done.stdout == f"({{'text/plain': '<Queue of {server.url}>'}}, {{}})\n"
        assert not server.requests


def test_nothing_of_it_is_loaded_before() -> None:
    code = "import sys, comfyclient.client; print([name for name in sys.modules if 'comfyclient.display' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True)
    assert done.stdout == "[]\n"
