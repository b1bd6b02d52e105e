"""What a client knows and nobody else may: it is in no log, repr, text of an error, traceback or pickle."""

from __future__ import annotations

import logging
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import Client, ClientConfig, ComfyError
from tests.fakes import FlakyServer, hang_up, json_reply, nobody, reply, reset
from tests.realtime.comfy import QUICK, WORKFLOW, Comfy, failure, start
from tests.realtime.peer import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "s3cr3t"  # noqa: S105 - it opens nothing
WAYS: dict[str, Callable[[str], dict[str, Any]]] = {
    "the URL's password": lambda url: {"url": url.replace("://", f"://me:{SECRET}@")},
    "the URL's query": lambda url: {"url": f"{url}/?token={SECRET}"},
    "token": lambda url: {"url": url, "token": SECRET},
    "auth": lambda url: {"url": url, "auth": ("me", SECRET)},
    "headers": lambda url: {"url": url, "headers": {"X-Key": SECRET}},
    "cookies": lambda url: {"url": url, "cookies": {"session": SECRET}},
    "params": lambda url: {"url": url, "params": {"token": SECRET}},
    "api_key_comfy_org": lambda url: {"url": url, "api_key_comfy_org": SECRET},
    "auth_token_comfy_org": lambda url: {"url": url, "auth_token_comfy_org": SECRET},
}
TROUBLES: dict[str, Any] = {
    "hangs up": hang_up,
    "resets": reset,
    "refuses": reply(401, "who are you?"),
    "fails": reply(500, "oops"),
    "redirects": reply(302, Location="http://127.0.0.1:1/elsewhere"),
    "talks nonsense": reply(200, "{"),
    "is garbage": b"\x00\xff\r\n\r\n",
    "rejects": json_reply({"error": {"type": "x", "message": "no", "details": ""}, "node_errors": {}}, 400),
}


def told(error: BaseException) -> str:
    """All that an error shows or takes along."""
    text = "".join(traceback.format_exception(error))
    return text + repr(error) + repr(error.__dict__) + pickle.dumps(error).decode("latin-1")


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_whatever_the_server_does(
    way: Callable[[str], dict[str, Any]],
    trouble: Any,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("comfyclient._tracking.submission._LOOKS", (0.0,))
    caplog.set_level(logging.DEBUG)
    with FlakyServer(trouble) as server:
        config = ClientConfig(**way(server.url), retry=None, reconnect=QUICK)
        with Client(config=config) as client:
            for call in (client.queue.info, client.connect, lambda: client.submit(WORKFLOW)):
                with pytest.raises(ComfyError) as caught:
                    call()
                assert SECRET not in told(caught.value)
            assert SECRET not in repr(client) + repr(config) + str(config)
    assert SECRET not in caplog.text


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_where_nobody_is(way: Callable[[str], dict[str, Any]], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with nobody() as url, Client(**way(url), retry=None) as client:
        for call in (client.queue.info, client.connect, lambda: client.submit(WORKFLOW)):
            with pytest.raises(ComfyError) as caught:
                call()
            assert SECRET not in told(caught.value)
    assert SECRET not in caplog.text


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_job_and_its_failure(way: Callable[[str], dict[str, Any]], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Comfy() as comfy, Client(**way(comfy.url), reconnect=QUICK) as client:
        job = client.submit(WORKFLOW)
        comfy.tell(*start(job.prompt_id), failure(job.prompt_id))
        comfy.finish(job.prompt_id, *start(job.prompt_id), failure(job.prompt_id), status_str="error")
        comfy.links[-1].drop()
        error = job.exception(PATIENCE)
        assert error is not None
        shown = told(error) + repr(job) + repr(job.workflow) + repr(client)
        assert SECRET not in shown
    assert SECRET not in caplog.text
