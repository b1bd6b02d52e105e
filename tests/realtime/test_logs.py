"""The server's log as events: asked for by client id, and again whenever the websocket is back."""

from __future__ import annotations

import logging
import queue
import threading
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.errors import ClientClosed, ServerError, ServerUnreachable, Unsupported
from comfyclient.events import Logs, Reconnected
from comfyclient.types import LogEntry, TerminalSize
from tests.fakes import last_words, reply, silence
from tests.realtime.comfy import until
from tests.realtime.peer import PATIENCE

if TYPE_CHECKING:
    from comfyclient import Client
    from comfyclient.events import Event
    from tests.fakes import Request
    from tests.realtime.comfy import Comfy
    from tests.realtime.conftest import Connect

ROUTE = ("PATCH", "/internal/logs/subscribe")


def line(text: str) -> dict[str, Any]:
    return {"type": "logs", "data": {"entries": [{"t": "2026-11-22T07:00:00", "m": text}], "size": None}}


@pytest.fixture(autouse=True)
def _log(comfy: Comfy) -> None:
    comfy.routes[ROUTE] = reply()


def wishes(comfy: Comfy) -> list[Any]:
    """What clients asked for so far."""
    return [request.json["enabled"] for request in comfy.asked(*ROUTE)]


def lose(comfy: Comfy, client: Client) -> None:
    """Have the websocket lost and opened again, and everything done that follows from it."""
    back = threading.Event()
    subscription = client.on(Reconnected, lambda _: back.set())
    comfy.link().drop()
    assert back.wait(PATIENCE)
    subscription.cancel()


def test_the_server_is_asked_once_it_knows_the_websocket(comfy: Comfy, client: Client) -> None:
    known: list[int] = []

    def subscribe(_: Request) -> bytes:
        known.append(len(comfy.links))
        return reply()

    comfy.routes[ROUTE] = subscribe
    called: queue.Queue[Event] = queue.Queue()
    client.on("logs", called.put)
    client.system.subscribe_log()

    assert known == [1]
    assert [request.json for request in comfy.asked(*ROUTE)] == [{"clientId": client.config.client_id, "enabled": True}]
    with client.listen(Logs) as listener:
        message = line("\x1b[32mso\x1b[0m\n")
        message["data"]["size"] = {"cols": 100, "rows": 50}
        comfy.tell(message)
        event = listener.get(timeout=PATIENCE)
        assert event == called.get(timeout=PATIENCE)
    assert event.entries == (LogEntry("2026-11-22T07:00:00", "\x1b[32mso\x1b[0m\n"),)
    assert event.size == TerminalSize(100, 50)
    assert event.text == "so\n"


def test_it_is_renewed_after_every_reconnect(comfy: Comfy, client: Client) -> None:
    client.system.subscribe_log()
    with client.listen(Logs) as listener:
        for number in (1, 2, 3):
            lose(comfy, client)
            assert wishes(comfy) == [True] * (1 + number)
            comfy.tell(line(f"after loss {number}\n"))
            assert listener.get(timeout=PATIENCE).text == f"after loss {number}\n"


def test_it_is_renewed_once_however_often_it_was_asked_for(comfy: Comfy, client: Client) -> None:
    for _ in range(3):
        client.system.subscribe_log()
    lose(comfy, client)

    assert wishes(comfy) == [True] * 4


def test_it_ends_when_it_is_no_longer_wanted(comfy: Comfy, client: Client) -> None:
    client.system.subscribe_log()
    client.system.subscribe_log(enabled=False)
    assert wishes(comfy) == [True, False]
    lose(comfy, client)
    assert wishes(comfy) == [True, False]

    client.system.subscribe_log()
    lose(comfy, client)
    assert wishes(comfy) == [True, False, True, True]


def test_ending_what_never_began_needs_no_websocket(comfy: Comfy, client: Client) -> None:
    client.system.subscribe_log(enabled=False)

    assert wishes(comfy) == [False]
    assert comfy.attempts == []


@pytest.mark.parametrize(
    ("answer", "kind"), [(reply(405), Unsupported), (reply(500), ServerError), (last_words(b""), ServerUnreachable)]
)
def test_what_was_refused_is_raised_and_not_asked_again(
    comfy: Comfy, client: Client, answer: Any, kind: type[Exception]
) -> None:
    comfy.routes[ROUTE] = answer if isinstance(answer, bytes) else lambda _: answer
    with pytest.raises(kind):
        client.system.subscribe_log()
    lose(comfy, client)

    assert wishes(comfy) == [True]


def test_without_a_websocket_the_server_is_not_asked(comfy: Comfy, connect: Connect) -> None:
    comfy.handshakes.extend([last_words(reply(403))] * 3)
    client = connect(reconnect=None)
    with pytest.raises(ServerUnreachable, match="403"):
        client.system.subscribe_log()

    assert wishes(comfy) == []


def test_a_renewal_that_fails_is_logged_and_tried_with_the_next_reconnect(
    comfy: Comfy, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.system.subscribe_log()
    comfy.routes[ROUTE] = reply(500, "no")
    with caplog.at_level(logging.WARNING, "comfyclient"):
        lose(comfy, client)
    (said,) = caplog.messages
    assert "the server sends its log no longer" in said
    assert "500" in said
    caplog.clear()  # the error in there holds the connection

    comfy.routes[ROUTE] = reply()
    lose(comfy, client)
    assert wishes(comfy) == [True] * 3


def test_a_renewal_under_way_does_not_outlive_the_client(
    comfy: Comfy, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.system.subscribe_log()
    comfy.routes[ROUTE] = lambda _: silence()
    with client.listen() as listener:
        comfy.link().drop()
        until(listener, Reconnected)
    comfy.wait_for(lambda: len(comfy.requests) == 2)
    client.close(timeout=0.05)

    with pytest.raises(ClientClosed):
        client.system.subscribe_log()
    assert "no longer" not in caplog.text
