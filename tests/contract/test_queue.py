"""Several prompts on both servers: their order, what becomes of those that are removed, interrupts, and the cache."""

from __future__ import annotations

import io
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from tests.conftest import soon
from tests.contract.sides import answered
from tests.recorder import short
from tests.workflows import fresh, fresh_color, node, plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.sides import Both, Side
    from tests.recorder import Recorder
    from tests.workflows import Graph

pytestmark = pytest.mark.needs_test_nodes


def text(value: Any) -> Graph:
    return {"1": node("TestText", value=value, seed=fresh())}


def some_ids(count: int) -> list[str]:
    """Ids that compare like their places in this list, since that decides between prompts of one number."""
    rest = str(uuid.uuid4())[1:]
    return [f"{place:x}{rest}" for place in range(1, count + 1)]


def held(side: Side) -> Any:
    """A gate at which a prompt waits, so that the next ones are queued behind it."""
    gate = side.gate()
    side.submit(gate.workflow())
    gate.wait()
    return gate


def idle(side: Side) -> bool:
    return bool(side.get("/prompt")["exec_info"]["queue_remaining"] == 0)


def order(side: Side, ids: list[str]) -> list[int]:
    """In which order they were done."""
    assert soon(lambda: idle(side))
    return [ids.index(prompt_id) for prompt_id in side.get("/history") if prompt_id in ids]


# ── order ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "places",
    [
        [{}, {}, {}],
        [{"front": True}, {"front": True}, {}],
        [{"number": 1e9}, {}, {"front": True}],
        [{"number": -1e9}, {"front": True}, {}],
        [{"number": 1e9, "front": True}, {}, {"number": 5e8}],
        [{"number": 7}, {"number": 7}, {"number": 7}],
        [{"number": "1e9"}, {"front": "no"}, {"front": False}],
    ],
    ids=json.dumps,
)
def test_the_order_in_which_prompts_run(both: Both, places: list[dict[str, Any]]) -> None:
    def story(side: Side) -> Any:
        ids = some_ids(len(places))
        gate = held(side)
        for prompt_id, place in zip(ids, places, strict=True):
            side.submit(text(prompt_id), prompt_id=prompt_id, **place)
        waiting = [item[1] for item in side.get("/queue")["queue_pending"]]
        gate.open()
        return [ids.index(each) for each in waiting], order(side, ids)

    both.agree(story)


def test_the_queue_and_its_jobs_while_something_runs(both: Both) -> None:
    def story(side: Side) -> Any:
        gate = held(side)
        extra = {"extra_pnginfo": {"workflow": {"id": "w"}}, "mine": 1, "api_key_comfy_org": "SECRET"}
        prompt_id = side.submit(text(1), str(uuid.uuid4()), extra_data=extra)
        queue = side.get("/queue")
        [running] = queue["queue_running"]
        [pending] = queue["queue_pending"]
        jobs = [side.get(f"/api/jobs/{each[1]}") for each in (running, pending)]
        listed = side.get("/api/jobs?status=pending,in_progress&sort_order=asc")
        history = side.get(f"/history/{prompt_id}")
        gate.open()
        for item in (running, pending):
            item[0] = "its number"
            item[2] = sorted(item[2])
        for job in (*jobs, *listed["jobs"]):
            job["priority"] = "its number"
        return running, pending, jobs, listed, history

    _, pending, *_ = both.agree(story)
    assert "SECRET" not in json.dumps(pending)


def test_two_prompts_with_one_id(both: Both) -> None:
    def story(side: Side) -> Any:
        gate = held(side)
        [prompt_id] = some_ids(1)
        statuses: list[int] = []
        for number in (9, 9):
            body = {"prompt": text(number), "prompt_id": prompt_id, "number": number}
            statuses.append(side.ask("POST", "/prompt", json=body).status_code)
        remaining = [side.get("/prompt")]
        for ids in ([prompt_id], [prompt_id, prompt_id]):
            side.ask("POST", "/queue", json={"delete": ids})
            remaining.append(side.get("/prompt"))
        gate.open()
        return statuses, remaining, order(side, [prompt_id])

    statuses, _, _ = both.agree(story)
    assert statuses == [200, 500]


# ── removing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["delete one", "delete all", "clear", "cancel", "cancel all", "delete what runs"])
def test_prompts_that_are_removed(both: Both, kind: str) -> None:
    def story(side: Side) -> Any:
        client_id = str(uuid.uuid4())
        with side.listen(client_id) as recorder:
            gate = side.gate()
            running = side.submit(gate.workflow(), client_id)
            gate.wait()
            ids = [side.submit(text(number), client_id) for number in range(2)]
            requests = {
                "delete one": ("/queue", {"delete": ids[:1]}),
                "delete all": ("/queue", {"delete": ids}),
                "clear": ("/queue", {"clear": True}),
                "cancel": (f"/api/jobs/{ids[0]}/cancel", {}),
                "cancel all": ("/api/jobs/cancel", {"job_ids": ids}),
                "delete what runs": ("/queue", {"delete": [running]}),
            }
            path, body = requests[kind]
            answer = answered(side.ask("POST", path, json=body))
            queue = [item[1] for item in side.get("/queue")["queue_pending"]]
            states = [side.ask("GET", f"/api/jobs/{each}").status_code for each in ids]
            gate.open()
            heard = [each for _ in [running, *queue] for each in recorder.until_end()]
        return answer, queue, states, [each for each in heard if short(each) == "status"], order(side, [running, *ids])

    both.agree(story)


# ── interrupts ───────────────────────────────────────────────────────────────────────────────────────────────────────


def everybody(_: str) -> tuple[str, Any]:
    return "/interrupt", {}


def by_id(prompt_id: str) -> tuple[str, Any]:
    return "/interrupt", {"prompt_id": prompt_id}


def cancel(prompt_id: str) -> tuple[str, Any]:
    return f"/api/jobs/{prompt_id}/cancel", {}


def cancel_all(prompt_id: str) -> tuple[str, Any]:
    return "/api/jobs/cancel", {"job_ids": [prompt_id]}


def foreign(_: str) -> tuple[str, Any]:
    return "/interrupt", {"prompt_id": str(uuid.uuid4())}


@pytest.mark.parametrize("how", [everybody, by_id, cancel, cancel_all, foreign])
@pytest.mark.parametrize("client", [True, False], ids=["with a client", "without"])
def test_interrupts(both: Both, how: Callable[[str], tuple[str, Any]], *, client: bool) -> None:
    def story(side: Side) -> Any:
        client_id, gate = str(uuid.uuid4()), side.gate()
        prompt = {
            "1": node("TestText", value="before", seed=fresh()),
            "2": gate.node(value=["1", 0]),
            "3": node("TestText", value=["2", 0]),
        }
        with side.listen(client_id) as recorder:
            # One output, so that it does not matter with which a server begins.
            prompt_id = side.submit(prompt, client_id if client else None, partial_execution_targets=["3"])
            gate.wait()
            path, body = how(prompt_id)
            answer = answered(side.ask("POST", path, json=body))
            if how is foreign:
                gate.open()
            assert soon(lambda: prompt_id in side.get(f"/history/{prompt_id}"))
            entry = side.get(f"/history/{prompt_id}")[prompt_id]
            entry["prompt"][:3] = []
            job = side.get(f"/api/jobs/{prompt_id}")
            status = job["status"], job["outputs_count"]
            heard = recorder.until_end() if client else until_said(side, recorder)
        return answer, entry, status, [each for each in heard if short(each) != "status"]

    _, _, status, _ = both.agree(story)
    assert status == ["completed" if how is foreign else "cancelled", 0]  # texts do not count


def until_said(side: Side, recorder: Recorder) -> list[Any]:
    """What a websocket was told before it is told of another prompt's progress."""
    prompt_id = side.submit({"1": node("TestProgress", steps=1, seed=fresh()), "2": node("TestText", value=["1", 0])})
    heard: list[Any] = []
    while True:
        message = recorder.next()
        if message["data"].get("prompt_id") == prompt_id:
            return heard
        heard.append(message)


def test_an_interrupt_while_nothing_runs_is_forgotten(both: Both) -> None:
    def story(side: Side) -> Any:
        assert soon(lambda: idle(side))
        side.ask("POST", "/interrupt").raise_for_status()
        prompt_id = side.submit(
            {"1": node("TestProgress", steps=2, seed=fresh()), "2": node("TestText", value=["1", 0])}
        )
        assert soon(lambda: prompt_id in side.get(f"/history/{prompt_id}"))
        return side.get(f"/history/{prompt_id}")[prompt_id]["status"]["status_str"]

    assert both.agree(story) == "success"


def test_an_interrupted_async_node(both: Both) -> None:
    def story(side: Side) -> Any:
        client_id, gate = str(uuid.uuid4()), side.gate()
        prompt = {"1": node("TestAsync", name=gate.name, steps=1, value=5), "2": node("TestText", value=["1", 0])}
        with side.listen(client_id) as recorder:
            prompt_id = side.submit(prompt, client_id)
            gate.wait()
            side.ask("POST", "/interrupt", json={"prompt_id": prompt_id})
            return recorder.until_end()

    assert "execution_interrupted" in map(short, both.agree(story))


# ── what is cached ───────────────────────────────────────────────────────────────────────────────────────────────────


def executed(side: Side, *prompts: Graph, between: Callable[[Side], Any] = lambda _: None) -> list[list[str]]:
    """Which nodes run, prompt after prompt."""
    client_id = str(uuid.uuid4())
    ran: list[list[str]] = []
    with side.listen(client_id) as recorder:
        for prompt in prompts:
            if ran:
                between(side)
            side.submit(prompt, client_id)
            words = [short(each) for each in recorder.until_end()]
            ran.append([word for word in words if word.startswith("executing")])
    return ran


def chain(seed: int, value: Any = None) -> Graph:
    return {
        "1": node("TestProgress", steps=1, seed=seed),
        "2": node("TestProgress", steps=1, value=["1", 0], seed=0 if value is None else value),
        "3": node("TestText", value=["2", 0]),
    }


def renamed(prompt: Graph) -> Graph:
    """The same nodes under other ids."""
    return json.loads(json.dumps(prompt).replace('"1"', '"11"').replace('"2"', '"12"').replace('"3"', '"13"'))  # type: ignore[no-any-return]


def test_what_is_run_again(both: Both) -> None:
    seed = fresh()
    ran = both.agree(
        lambda side: executed(side, chain(seed), chain(seed), chain(seed, 7), renamed(chain(seed, 7)), chain(seed + 1))
    )

    assert ran[1] == ["executing:None"]
    assert ran[2] == ["executing:2", "executing:3", "executing:None"]
    assert ran[3] == ["executing:None"]


@pytest.mark.parametrize("body", [{"free_memory": True}, {"unload_models": True}, {}])
def test_memory_is_freed(both: Both, body: dict[str, bool]) -> None:
    seed = fresh()

    def free(side: Side) -> None:
        side.ask("POST", "/free", json=body).raise_for_status()

    def story(side: Side) -> bool:
        more = chain(seed) | {"4": node("TestText", value=["2", 0], seed=seed)}
        ran = executed(side, chain(seed), more, more, between=free)
        # The worker sees to it between two prompts: before the second one, or after it.
        return "executing:1" in ran[1] + ran[2]

    assert both.agree(story) is ("free_memory" in body)


def test_a_file_that_changes(both: Both) -> None:
    name = f"{uuid.uuid4()}.png"

    def put(side: Side, color: str) -> None:
        file = io.BytesIO()
        Image.new("RGB", (4, 4), color).save(file, "PNG")
        form = {"image": (name, file.getvalue(), "image/png")}
        side.ask("POST", "/upload/image", files=form, data={"overwrite": "true"}).raise_for_status()

    def story(side: Side) -> Any:
        colors = iter(["red", "blue"])
        put(side, "red")
        prompt = {"1": node("LoadImage", image=name), "2": node("PreviewImage", images=["1", 0])}
        return executed(side, prompt, prompt, prompt, between=lambda each: put(each, next(colors, "blue")))

    ran = both.agree(story)
    assert [("executing:1" in each) for each in ran] == [True, False, True]


def test_what_is_written_into_a_picture(both: Both) -> None:
    color = fresh_color()
    prompt = plain(color) | {"9": node("LoadImage", image="NAME"), "10": node("PreviewImage", images=["9", 0])}
    info = {"workflow": {"id": "w", "ü": [1, None]}, "more": "text"}

    def story(side: Side) -> Any:
        name = f"{uuid.uuid4()}.png"
        file = io.BytesIO()
        Image.new("RGB", (4, 4)).save(file, "PNG")
        side.ask("POST", "/upload/image", files={"image": (name, file.getvalue())}).raise_for_status()
        graph = json.loads(json.dumps(prompt).replace("NAME", name))
        prompt_id = side.submit(graph, extra_data={"extra_pnginfo": info})
        assert soon(lambda: prompt_id in side.get(f"/history/{prompt_id}"))
        [saved] = side.get(f"/history/{prompt_id}")[prompt_id]["outputs"]["2"]["images"]
        with Image.open(io.BytesIO(side.ask("GET", "/view", params=saved).content)) as picture:
            return {key: json.loads(value) for key, value in picture.text.items()}

    texts = both.agree(story)
    assert texts["workflow"] == info["workflow"]
    assert len(texts["prompt"]["9"]["is_changed"][0]) == 64


def test_some_outputs_only(both: Both) -> None:
    prompt = {
        "1": node("TestProgress", steps=1, seed=fresh()),
        "2": node("TestText", value=["1", 0]),
        "3": node("TestText", value=["1", 0]),
        "4": node("TestText", value=5, seed=fresh()),
    }

    def story(side: Side) -> Any:
        prompt_id = side.submit(prompt, partial_execution_targets=["3"])
        assert soon(lambda: prompt_id in side.get(f"/history/{prompt_id}"))
        entry = side.get(f"/history/{prompt_id}")[prompt_id]
        return entry["outputs"], entry["prompt"][4]

    assert both.agree(story)[1] == ["3"]
