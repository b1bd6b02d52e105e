"""Every page does what it says, on a real server."""

from __future__ import annotations

import asyncio
import re
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests

from comfyclient import Client, JobLost, Workflow
from comfyclient.events import Status
from tests.conftest import soon
from tests.docs.conftest import CHECKPOINT, hold
from tests.docs.pages import PAGES, Page, blocks
from tests.fakes import nobody
from tests.workflows import PATIENCE, Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from comfyclient.testing import EmbeddedServer

RUN = [name for name, path in PAGES.items() if any(kind == "python" for kind, _ in blocks(path.read_text("utf-8")))]
LANGUAGES = {"python", "output", "console", "json", "text"}
NOT_RUN = {"docs/howto/custom-nodes-events.md": ["py"]}  # runs inside ComfyUI
OPTIONS = {"docs/howto/assets.md": ["--enable-assets"]}  # of the server that a page wants for itself
HELD = {"docs/howto/previews.md": "image/"}  # whose jobs must not end before the page has shown something


SERVER, NOWHERE = "http://127.0.0.1:8188", "http://127.0.0.1:8189"  # as pages write them
ROUTES = {"/my_pack/faces": "/comfyclient_test/waiting"}  # of a node pack


@pytest.fixture
def open_once_it_says(comfyui_url: str) -> Iterator[Callable[[str], Gate]]:
    """Makes gates that are opened once the block that runs has printed some words."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def let_go(gate: Gate, words: str) -> None:
        soon(lambda: over.is_set() or words in getattr(sys.stdout, "getvalue", str)(), PATIENCE)
        gate.open()

    def make(words: str) -> Gate:
        gate = Gate(comfyui_url)
        threads.append(threading.Thread(target=let_go, args=[gate, words]))
        threads[-1].start()
        return gate

    yield make
    over.set()
    for thread in threads:
        thread.join()


@pytest.mark.needs_test_nodes
@pytest.mark.parametrize("name", RUN)
def test_a_page_does_what_it_says(
    name: str,
    place: Path,
    comfyui_url: str,
    open_once_it_says: Callable[[str], Gate],
    request: pytest.FixtureRequest,
) -> None:
    if options := OPTIONS.get(name):
        comfyui_url = request.getfixturevalue("start_comfyui")(*options).url
    if name in HELD:
        hold(place / "portrait.json", open_once_it_says(HELD[name]))

    def keep_busy_until_it_says(words: str) -> None:
        gate = open_once_it_says(words)
        requests.post(f"{comfyui_url}/prompt", json={"prompt": gate.workflow()}, timeout=PATIENCE).raise_for_status()
        gate.wait()

    with nobody() as nowhere:
        replace = {SERVER: comfyui_url, NOWHERE: nowhere, **CHECKPOINT, **ROUTES}
        page = Page(PAGES[name], replace, keep_busy_until_it_says=keep_busy_until_it_says)
        assert page.run() > 0


@pytest.mark.usefixtures("embedded_place")
def test_the_first_tutorial_needs_no_comfyui(comfy_server: EmbeddedServer) -> None:
    with nobody() as nowhere:
        page = Page(PAGES["docs/tutorial/first-image.md"], {SERVER: comfy_server.url, NOWHERE: nowhere})
        assert page.run() > 0


def test_pages_name_a_checkpoint_that_the_embedded_server_has(comfy_client: Client) -> None:
    text = "".join(path.read_text("utf-8") for path in PAGES.values())
    named = {*re.findall(r'ckpt_name="([^"]+)"', text)}
    assert named
    assert named <= {*comfy_client.models.list("checkpoints")}


def test_following_events_in_a_loop_ends_with_a_job_that_never_ran(
    embedded_place: Path, comfy_server: EmbeddedServer, comfy_client: Client
) -> None:
    [code] = [body for _, body in blocks(PAGES["docs/howto/asyncio.md"].read_text("utf-8")) if "def steps(" in body]
    names: dict[str, Any] = {"asyncio": asyncio}
    exec(code.partition("\n\n\n")[0], names)  # noqa: S102 - it is our own page

    def empty(event: Status) -> None:
        if event.queue_remaining == 2:
            comfy_client.queue.clear()

    async def follow() -> None:
        await asyncio.wait_for(names["steps"](comfy_client, workflow), timeout=60)

    workflow = Workflow.load(embedded_place / "portrait.json")
    comfy_server.latency.step = 60
    running = comfy_client.submit(workflow)
    assert soon(running.running)
    comfy_client.on(Status, empty)
    with pytest.raises(JobLost):
        asyncio.run(follow())
    assert running.cancel()


def test_no_code_is_left_out() -> None:
    for name, path in PAGES.items():
        kinds = [kind for kind, _ in blocks(path.read_text("utf-8")) if not kind.startswith("{")]
        assert [kind for kind in kinds if kind not in LANGUAGES] == NOT_RUN.get(name, []), name


def test_an_output_that_differs_is_found(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("```python\nprint('one')\n```\n```output\ntwo\n```\n")
    with pytest.raises(Exception, match="The page says:\ntwo\n\nIt prints:\none"):
        Page(path, {}).run()
