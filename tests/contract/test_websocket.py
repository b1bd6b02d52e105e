"""Websockets on both servers: the greeting, who is told what, and what becomes of connections."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
import websocket

from tests.conftest import soon
from tests.contract.sides import answered
from tests.recorder import SECONDS, Recorder, short
from tests.workflows import fresh, node

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.sides import Both, Side
    from tests.workflows import Graph

pytestmark = pytest.mark.needs_test_nodes

FLAGS = json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}})


def someone() -> str:
    return str(uuid.uuid4())


def steps(seed: int) -> Graph:
    return {
        "1": node("TestPreview", steps=1, format="JPEG", seed=seed, width=16, height=8, value=seed),
        "2": node("TestTextProgress", text="so far", value=["1", 0]),
        "3": node("TestText", value=["2", 0]),
    }


def marked(side: Side, recorder: Recorder) -> list[str]:
    """What a websocket was told until now, in words: a prompt of nobody's is the mark, which all are told of.

    Without the statuses, since the one of that prompt may come in between. It is over then: who comes next would hear
    the rest of it.
    """
    prompt = {"1": node("TestTextProgress", text="the mark", seed=fresh()), "2": node("TestText", value=["1", 0])}
    prompt_id = side.submit(prompt)
    words: list[str] = []
    while True:
        message = recorder.next()
        if isinstance(message, bytes) and message.endswith(b"the mark 0"):
            assert soon(lambda: prompt_id in side.get(f"/history/{prompt_id}"))
            return [word for word in words if word != "status"]
        words.append(short(message))


# ── greetings ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/ws", "/api/ws"])
@pytest.mark.parametrize("query", ["clientId=ID", "clientId=ID%20%C3%BC%2F%26", "", "clientId=", "clientid=ID"])
def test_the_greeting(both: Both, path: str, query: str) -> None:
    new = someone()

    def story(side: Side) -> Any:
        url = f"{side.url.replace('http', 'ws')}{path}?{query.replace('ID', new)}"
        connection = websocket.create_connection(url, timeout=SECONDS, suppress_origin=True)
        first = json.loads(connection.recv())
        connection.close(timeout=0.1)
        sid = first["data"]["sid"]
        return first | {"data": {**first["data"], "sid": sid if new in sid else len(sid)}}

    both.agree(story)


@pytest.mark.parametrize(
    "said",
    [
        [FLAGS],
        [FLAGS, FLAGS],
        ["no JSON", FLAGS],
        ["[1]", FLAGS],
        ["null", FLAGS],
        ['"text"', FLAGS],
        [b"\0\1", FLAGS],
        ["{}", FLAGS],
        ['{"type": "hello", "data": {}}', FLAGS],
        ['{"type": "feature_flags"}'],
        ['{"type": "feature_flags", "data": {"supports_preview_metadata": "true"}}'],
        ['{"type": "feature_flags", "data": {"supports_preview_metadata": 1}}'],
        ['{"type": "feature_flags", "data": {"other": true}}'],
        ['{"type": "feature_flags", "data": null}'],
    ],
    ids=str,
)
def test_what_a_client_says_about_itself(both: Both, said: list[str | bytes]) -> None:
    prompt = {
        "1": node("TestPreview", steps=1, format="PNG", seed=3, width=2, height=1, value=fresh()),
        "2": node("TestText", value=["1", 0]),
    }

    def story(side: Side) -> Any:
        client_id = someone()
        with side.listen(client_id) as recorder:
            for each in said:
                recorder.say(each)
            # Whatever there is to answer is answered before pings are.
            heard = []
            recorder.say(json.dumps({"type": "anything"}))
            side.submit(prompt, client_id)
            heard = recorder.until_end()
        # The answer may come before the first event of the prompt, or after.
        return sorted(heard, key=lambda each: short(each) != "feature_flags")

    heard = both.agree(story)
    assert heard[-1]["data"]["node"] is None


def test_an_ordinary_request_for_a_websocket(both: Both) -> None:
    both.agree_on("GET", "/ws")


# ── who is told what ─────────────────────────────────────────────────────────────────────────────────────────────────


def told(side: Side, client_id: Any, *, features: bool) -> tuple[list[str], list[str]]:
    """What the submitter and a stranger are told of a run, in words."""
    seed = fresh()
    submitter = client_id if isinstance(client_id, str) and client_id else someone()
    with side.listen(submitter) as ours, side.listen(someone()) as strangers:
        if features:
            for each in (ours, strangers):
                each.say(FLAGS)
                each.until("feature_flags")
        side.submit(steps(seed), client_id)
        return marked(side, ours), marked(side, strangers)


@pytest.mark.parametrize("features", [False, True], ids=["plain", "rich"])
@pytest.mark.parametrize("client_id", ["SOMEONE", None, "", 5], ids=repr)
def test_who_is_told_what_of_a_run(both: Both, client_id: Any, *, features: bool) -> None:
    def story(side: Side) -> Any:
        return told(side, someone() if client_id == "SOMEONE" else client_id, features=features)

    both.agree(story)


def test_a_client_id_among_the_extra_data(both: Both) -> None:
    def story(side: Side) -> Any:
        first, second = someone(), someone()
        with side.listen(first) as one, side.listen(second) as two:
            side.submit(steps(fresh()), extra_data={"client_id": first})
            side.submit(steps(fresh()), second, extra_data={"client_id": first})
            return marked(side, one), marked(side, two)

    one, two = both.agree(story)
    assert one.count("executing:None") == two.count("executing:None") == 1


def test_events_of_failures_without_a_client(both: Both) -> None:
    def story(side: Side) -> Any:
        with side.listen(someone()) as stranger:
            side.submit({"1": node("TestRaise", exception="ValueError", message="oh", seed=fresh())})
            side.submit({"1": node("TestBlock", message="no", seed=fresh()), "2": node("TestText", value=["1", 0])})
            return marked(side, stranger)

    assert "execution_error" in both.agree(story)  # of the one that was blocked


def test_the_log(both: Both) -> None:
    def story(side: Side) -> Any:
        client_id = someone()
        with side.listen(client_id) as recorder:
            body = {"clientId": client_id, "enabled": True}
            first = answered(side.ask("PATCH", "/internal/logs/subscribe", json=body))
            side.submit({"1": node("TestText", value=fresh())}, client_id)
            messages = recorder.until_end()
            second = answered(side.ask("PATCH", "/internal/logs/subscribe", json={**body, "enabled": False}))
            marked(side, recorder)  # what was said before may be told a moment later
            side.submit({"1": node("TestText", value=fresh())}, client_id)
            quiet = [short(each) for each in recorder.until_end()]
        logs = [each["data"] for each in messages if short(each) == "logs"]
        forms = {(*sorted(each), *sorted(entry)) for each in logs for entry in each["entries"]}
        text = "".join(entry["m"] for each in logs for entry in each["entries"])
        return first, second, sorted(forms), "got prompt" in text, quiet.count("logs")

    assert both.agree(story)[3:] == [True, 0]


# ── connections ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_node_that_runs_is_told_on_reconnection(both: Both) -> None:
    def story(side: Side) -> Any:
        gate, client_id = side.gate(), someone()
        with side.listen(client_id) as first:
            side.submit(gate.workflow(), client_id)
            first.until("executing:1")
            gate.wait()
        with side.listen(client_id) as second, side.listen(someone()) as stranger:
            greeting = second.first, second.next()
            gate.open()
            rest = second.until_end()
            return greeting, rest, marked(side, stranger)

    greeting, _, _ = both.agree(story)
    assert greeting[1] == {"type": "executing", "data": {"node": "1"}}


def test_an_older_websocket_deafens_the_newer_one_when_it_closes(both: Both) -> None:
    def story(side: Side) -> Any:
        client_id = someone()
        older = side.listen(client_id)
        with side.listen(client_id) as newer, side.listen(someone()) as other:
            side.submit(steps(fresh()), client_id)
            before = [short(each) for each in newer.until_end()]
            older.close()
            with side.listen(someone()) as last:  # the server has seen to the close once it greets another
                marked(side, last)
            after = marked(side, other)
            return before, [each for each in after if each.startswith("executing")], newer.ping() == b"are you there?"

    assert both.agree(story)[2] is True


def test_events_are_lost_on_nobody(both: Both) -> None:
    """What is sent while a client is away is gone, and the prompt goes on."""

    def story(side: Side) -> Any:
        client_id, gate = someone(), side.gate()
        with side.listen(client_id):
            prompt_id = side.submit(gate.workflow(), client_id)
            gate.wait()
        gate.open()
        with side.listen(someone()) as other:
            marked(side, other)
        with side.listen(client_id) as back:
            heard = marked(side, back)
        return heard, side.get(f"/history/{prompt_id}")[prompt_id]["status"]["status_str"]

    assert both.agree(story)[1] == "success"


@pytest.mark.parametrize(
    "send",
    [
        lambda recorder: recorder.say("x" * 2**20),
        lambda recorder: recorder.say(b"x" * 2**20),
        lambda recorder: recorder.ping(),
    ],
    ids=["a long text", "long bytes", "a ping"],
)
def test_what_changes_nothing(both: Both, send: Callable[[Recorder], Any]) -> None:
    def story(side: Side) -> Any:
        with side.listen(someone()) as recorder:
            send(recorder)
            return marked(side, recorder)

    both.agree(story)


def test_messages_that_are_too_long_end_the_connection(both: Both) -> None:
    def story(side: Side) -> Any:
        with side.listen(someone()) as recorder:
            try:
                recorder.say("x" * (4 * 2**20 + 1))
                return [short(recorder.next()) for _ in range(3)]
            except (websocket.WebSocketConnectionClosedException, OSError):
                return True

    assert both.agree(story) is True
