"""A headless Chromium with one page, driven over Chromium's own websocket."""

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


class BrowserError(Exception):
    """What the browser said instead of an answer."""


class Browser:
    """One page, in a browser of its own.

    Args:
        chromium: The browser.
        *options: More of its options.
    """

    def __init__(self, chromium: str, *options: str) -> None:
        self._command = [chromium, *_OPTIONS, *options]
        self._numbers = itertools.count(1)
        self._events: set[str] = set()  # what the page told since it was sent to where it is
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Start it, with an empty page."""
        with contextlib.ExitStack() as stack:
            profile = stack.enter_context(tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True))
            command = [*self._command, f"--user-data-dir={profile}", "about:blank"]
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
            self.call("Page.enable")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._stack.close()

    def open(self, url: str, *, until: str = "Page.loadEventFired") -> None:
        """Go to an address, and wait until the page says that it is there."""
        self._events.clear()
        answer = self.call("Page.navigate", url=url)
        if "errorText" in answer:
            raise BrowserError(f"{url}: {answer['errorText']}")
        while until not in self._events:
            self._receive()

    def evaluate(self, expression: str) -> Any:
        """What a script says, once the promise that it may give is kept.

        Raises:
            BrowserError: The script failed.
        """
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Have Chromium's debugger do something.

        Raises:
            BrowserError: It does not want to.
        """
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (message := self._receive()).get("id") != number:
            pass
        if "error" in message:
            raise BrowserError(message["error"]["message"])
        result: dict[str, Any] = message["result"]
        return result

    def _receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._socket.recv())
        self._events.add(message.get("method", ""))
        return message


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if match := _LISTENING.match(line):
            return match[1]
    raise BrowserError(f"Chromium did not start (it returned {process.wait()})")


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
