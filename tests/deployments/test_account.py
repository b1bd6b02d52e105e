"""The keys of a Comfy account, which go along with prompts."""

from __future__ import annotations

import logging
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import Client, JobFailed, PromptRejected
from tests.deployments.conftest import use
from tests.realtime.comfy import WORKFLOW, Comfy, event
from tests.workflows import PATIENCE, fresh_color, node, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS: dict[str, Any] = {"api_key_comfy_org": "s3cret-key", "auth_token_comfy_org": "s3cret-token"}


@pytest.mark.parametrize(
    ("options", "given", "sent"),
    [
        ({}, {}, {}),
        (KEYS, {}, KEYS),
        ({"api_key_comfy_org": "s3cret-key"}, {"note": "kept"}, {"api_key_comfy_org": "s3cret-key", "note": "kept"}),
        (KEYS, {"api_key_comfy_org": "another"}, {**KEYS, "api_key_comfy_org": "another"}),
        (KEYS, {"api_key_comfy_org": None}, {**KEYS, "api_key_comfy_org": None}),
    ],
)
def test_what_is_sent(options: Mapping[str, Any], given: Mapping[str, Any], sent: Mapping[str, Any]) -> None:
    with Comfy() as comfy, Client(comfy.url, **options) as client:
        client.submit(WORKFLOW, extra_data=given)
        (body,) = [request.json for request in comfy.requests if request.method == "POST"]
    body["extra_data"].pop("comfyclient_submission")
    assert body["extra_data"] == sent


@pytest.mark.parametrize("taken_up", [False, True])
def test_a_node_that_takes_the_key_and_fails_shows_it_to_nobody(*, taken_up: bool) -> None:
    inputs = {"key": ["s3cret-key"], "other": ["s3cret-own"]}
    with Comfy() as comfy, Client(comfy.url, **KEYS) as client:
        job = client.submit(WORKFLOW, extra_data={"auth_token_comfy_org": "s3cret-own"})
        if taken_up:
            inputs = {"key": ["s3cret-key"]}
            job = client.job(job.prompt_id)
        message = {"exception_message": "wrong s3cret-key", "exception_type": "E", "current_inputs": inputs}
        events = [
            event("execution_start", job.prompt_id),
            event("execution_error", job.prompt_id, node_id="2", node_type="SaveImage", **message),
            event("executing", job.prompt_id, node=None),
        ]
        comfy.tell(*events)
        error = job.exception(PATIENCE)
    assert isinstance(error, JobFailed)
    assert set(error.current_inputs) == set(inputs)
    assert [text for text in (str(error), repr(error), repr(pickle.dumps(error))) if "s3cret" in text] == []


def test_a_server_of_today_shows_them_to_nobody(comfyui_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Client(comfyui_url, **KEYS) as client:
        use(client)
        job = client.submit(plain(fresh_color()))
        result = job.result(PATIENCE)
        shown = [repr(job), repr(result), repr(result.history()), repr(client.config), repr(client)]
        with pytest.raises(PromptRejected) as caught:
            client.run({"1": node("EmptyImage", width=-1), "2": node("SaveImage", images=["1", 0])})
        shown += [str(caught.value), repr(caught.value)]
    assert [text for text in [*shown, *caplog.messages] if "s3cret" in text] == []
