"""The editor in a headless Chromium, driven over Chromium's own websocket."""

from __future__ import annotations

import collections
import contextlib
import itertools
import json
import re
import signal
import subprocess
import tempfile
import threading
from typing import TYPE_CHECKING, Any

import requests
import websocket

from tests import programs

if TYPE_CHECKING:
    from typing_extensions import Self

CHROMIUM = next(filter(None, map(programs.find, ("chromium", "chromium-browser", "google-chrome"))), None)
"""Where it is, if there is one."""

WITHOUT = "needs Chromium, which `make programs` installs where there are root and apt"
"""Why a test is skipped."""

PATIENCE = 180.0
"""Seconds that anything may take, on a machine that is busy with other tests."""

_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0"),
)
_LISTENING = re.compile(r"DevTools listening on ws://(127\.0\.0\.1:\d+)/")

# The editor has its nodes some time after it is first drawn; a registered node of the server is the sign.
_READY = """new Promise((ready) => {
    const look = () => {
        const types = window.LiteGraph?.registered_node_types ?? {};
        const isThere = window.app?.graph && window.app.extensionManager && types.KSampler && types.SaveImage;
        isThere ? ready(true) : setTimeout(look, 100);
    };
    look();
})"""
# As JSON, as "Export (API)" writes it; but what that leaves out, since it is undefined, is null here.
_EXPORT = """(async (graph) => {
    await window.app.loadGraphData(graph, true, false, null, {
        checkForRerouteMigration: false,
        showMissingNodesDialog: false,
        showMissingModelsDialog: false,
        silentAssetErrors: true,
    });
    const prompt = (await window.app.graphToPrompt()).output;
    return JSON.stringify(prompt, (_, value) => (value === undefined ? null : value));
})"""


class EditorError(Exception):
    """What the browser said instead of an answer."""


class Editor:
    """One page with the editor in it, in a browser of its own.

    Args:
        url: The server.
        chromium: The browser.
    """

    def __init__(self, url: str, chromium: str) -> None:
        self._url = url
        self._chromium = chromium
        self._numbers = itertools.count(1)
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Start the browser, and wait until the editor has its nodes."""
        with contextlib.ExitStack() as stack:
            profile = stack.enter_context(tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True))
            command = [self._chromium, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"]
            process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
            stack.callback(_end, process)
            address = _address(process)
            chatter = threading.Thread(target=collections.deque, args=(process.stderr, 0))  # a full pipe would stop it
            chatter.start()
            stack.callback(chatter.join)
            stack.callback(_end, process)
            page = next(each for each in _json(f"http://{address}/json/list") if each["type"] == "page")
            self._socket = websocket.create_connection(
                page["webSocketDebuggerUrl"], timeout=PATIENCE, suppress_origin=True, skip_utf8_validation=True
            )
            stack.callback(self._socket.close)
            self._call("Page.enable")
            self._call("Page.navigate", url=self._url)
            self._wait("Page.domContentEventFired")
            self._evaluate(_READY)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End the browser."""
        self._stack.close()

    def export(self, graph: Any) -> dict[str, Any]:
        """What "Export (API)" gives for a save file.

        Raises:
            EditorError: The editor failed.
        """
        prompt: dict[str, Any] = json.loads(self._evaluate(f"{_EXPORT}({json.dumps(graph)})"))
        return prompt

    def _evaluate(self, expression: str) -> Any:
        answer = self._call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise EditorError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == number:
                if "error" in message:
                    raise EditorError(message["error"]["message"])
                result: dict[str, Any] = message["result"]
                return result

    def _wait(self, event: str) -> None:
        while json.loads(self._socket.recv()).get("method") != event:
            pass


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if match := _LISTENING.match(line):
            return match[1]
    raise EditorError(f"Chromium did not start (it returned {process.wait()})")


def _json(url: str) -> Any:
    return requests.get(url, timeout=PATIENCE).json()


def _end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stderr is not None:
        process.stderr.close()
