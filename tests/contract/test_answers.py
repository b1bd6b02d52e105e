"""Requests that lead to no run: both servers answer them alike, with status, kind of body, and body."""

from __future__ import annotations

import itertools
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.sides import answered

if TYPE_CHECKING:
    from tests.contract.sides import Both, Side

OF_ITS_OWN = {
    "/history",
    "/internal/folder_paths",
    "/system_stats",
    "/api/system_stats",
}  # which tell of the machine, and of other tests
UNKNOWN = "00000000-0000-4000-8000-000000000000"
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "null": b"null",
    "a list": b"[]",
    "an object": b"{}",
    "a number": b"7",
    "a string": b'"x"',
    "no UTF-8": b'{"a": "\xff"}',
}

# ── routes that are not there, and methods ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "path",
    [
        *("/nope", "/api/nope", "/api", "/prompt/", "//prompt", "/Prompt", "/nope/deep/er.png", "/api/internal/logs"),
        *("/jobs", "/assets/x", "/api/api/nope", "/history_v2", "/internal/nope", "/api/userdata/a/b"),
        *("/queue", "/history", "/interrupt", "/free", "/features", "/ws", "/upload/image", "/api/jobs/cancel"),
        *(
            "/object_info/Nope",
            "/internal/folder_paths",
            "/system_stats",
            "/api/system_stats",
            f"/api/jobs/{UNKNOWN}/cancel",
        ),
    ],
)
def test_methods_and_unknown_routes(both: Both, method: str, path: str) -> None:
    def story(side: Side) -> Any:
        answer = answered(side.ask(method, path))
        return answer | ({"body": "its own"} if path in OF_ITS_OWN and answer["status"] == 200 else {})

    both.agree(story)


@pytest.mark.parametrize("fetch", [None, "cross-site", "same-site"])
@pytest.mark.parametrize("host", [None, "localhost:PORT", "comfy.example", "LOCALHOST"])
@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://127.0.0.1:PORT", "https://127.0.0.1:1"]
)
def test_pages_of_other_origins(both: Both, origin: str | None, host: str | None, fetch: str | None) -> None:
    def story(side: Side) -> Any:
        port = side.url.rpartition(":")[2]
        sent = {"Origin": origin, "Host": host, "Sec-Fetch-Site": fetch}
        headers = {name: value.replace("PORT", port) for name, value in sent.items() if value is not None}
        return answered(side.ask("GET", "/prompt", headers=headers))

    both.agree(story)


# ── bodies ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("path", ["/queue", "/interrupt", "/free", "/history", "/api/jobs/cancel", "/settings"])
def test_bodies_that_say_nothing(both: Both, path: str, body: str) -> None:
    both.agree_on("POST", path, data=BODIES[body])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/queue", {"delete": None}),
        ("/queue", {"delete": [UNKNOWN, "x", 7]}),
        ("/queue", {"delete": "abc"}),
        ("/queue", {"clear": True}),
        ("/queue", {"clear": 0}),
        ("/history", {"delete": [UNKNOWN]}),
        ("/history", {"delete": None}),
        ("/history", {"delete": 7}),
        ("/interrupt", {"prompt_id": UNKNOWN}),
        ("/interrupt", {"prompt_id": 7}),
        ("/interrupt", {"prompt_id": None}),
        ("/free", {"unload_models": True}),
        ("/free", {"free_memory": False}),
        ("/api/jobs/cancel", {"job_ids": UNKNOWN}),
        ("/api/jobs/cancel", {"job_ids": []}),
        ("/api/jobs/cancel", {"job_ids": [UNKNOWN]}),
        ("/api/jobs/cancel", {"job_ids": ["x", 1, None, UNKNOWN]}),
        ("/api/jobs/cancel", {"job_ids": [UNKNOWN.upper()]}),
        (f"/api/jobs/{UNKNOWN}/cancel", {}),
        ("/api/jobs/x/cancel", {}),
    ],
)
def test_orders_that_find_nothing(both: Both, path: str, body: Any) -> None:
    both.agree_on("POST", path, json=body)


@pytest.mark.parametrize("body", ["nothing", "no JSON", "null", "a list", "an object"])
def test_bad_subscriptions_of_the_log(both: Both, body: str) -> None:
    both.agree_on("PATCH", "/internal/logs/subscribe", data=BODIES[body])


# ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "path",
    [
        *(f"/api/jobs?{query}" for query in ("status=bogus", "status=pending,%20no", "sort_by=x", "sort_order=x")),
        *(f"/api/jobs?{query}" for query in ("limit=0", "limit=-1", "limit=x", "limit=", "offset=x", "offset=")),
        *(f"/api/jobs?workflow_id=nobody&{query}" for query in ("limit=5", "offset=-3", "status=COMPLETED", "status=")),
        *(f"/history?{query}" for query in ("max_items=x", "max_items=", "offset=x&max_items=1", "max_items=0")),
        *("/history?offset=1000000", "/history?max_items=1&offset=1000000", f"/history/{UNKNOWN}", "/history/x"),
        *(f"/api/jobs/{UNKNOWN}", "/api/jobs/x"),
        *("/object_info/Nope", "/object_info/PROTO", "/object_info/ProtoBroken"),
        *("/models/nope", "/experiment/models/nope", "/models/unet", "/view_metadata/loras"),
        *("/view_metadata/nope?filename=x.safetensors", "/view_metadata/loras?filename=nope"),
        *(f"/experiment/models/preview/{path}" for path in ("nope/0/x.png", "loras/0/nope", "loras/0/", "loras/x/y")),
        *(f"/experiment/models/preview/loras/{path}" for path in ("99/y", "0/..%2F..%2Fx.png", "-1/y")),
        *("/view_metadata/loras?filename=nope.safetensors", "/view_metadata/loras?filename=../nope.safetensors"),
        *("/internal/files/nope", "/internal/files/", "/global_subgraphs/nope", "/api/workflow_templates/nope/x.json"),
        *("/settings/nobody.knows", "/features", "/api/features", "/queue", "/prompt"),
        *("/userdata", "/userdata?dir=", "/userdata?dir=nope", "/userdata?dir=../..", "/userdata?dir=/etc"),
        *("/userdata/nope.json", "/userdata/..%2F..%2Fx", "/userdata/%2Fetc%2Fpasswd"),
        *("/v2/userdata?path=nope", "/v2/userdata?path=../..", "/v2/userdata?path=%2Fetc"),
        *(
            "/api/assets",
            f"/api/assets/{UNKNOWN}",
            "/api/assets/x",
            "/api/assets/x/content",
            "/api/tags",
            "/api/assets/seed/status",
        ),
    ],
)
@pytest.mark.needs_test_nodes
def test_questions(both: Both, path: str) -> None:
    both.agree_on("GET", path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", path) for path in ("/api/assets", "/api/assets/from-hash", "/api/assets/seed", "/api/assets/prune")),
        *((method, f"/api/assets/{UNKNOWN}") for method in ("PUT", "DELETE")),
        *((method, f"/api/assets/{UNKNOWN}/tags") for method in ("POST", "DELETE")),
        ("HEAD", "/api/assets/hash/blake3:abc"),
        *((method, "/userdata/..%2F..%2Fx") for method in ("POST", "DELETE")),
        ("DELETE", "/userdata/nope.json"),
        ("POST", "/userdata/nope.json/move/b"),
        ("POST", "/userdata/nope.json/move/..%2F..%2Fx"),
        ("POST", "/userdata/..%2F..%2Fx/move/b"),
    ],
)
def test_orders_that_are_refused(both: Both, method: str, path: str) -> None:
    both.agree_on(method, path, json={})


@pytest.mark.parametrize("path", ["/system_stats", "/internal/logs/raw", "/models", "/node_replacements", "/i18n"])
def test_the_form_of_what_the_machine_decides(both: Both, path: str) -> None:
    def form(value: Any) -> Any:
        match value:
            case dict():
                return {key: form(each) for key, each in value.items()}
            case list():
                return [form(each) for each in value[:1]]
            case None | bool() | int() | float():
                return "a number, or nothing"
        return "a text, or nothing"

    def story(side: Side) -> Any:
        answer = answered(side.ask("GET", path))
        return answer["status"], answer["headers"], form(answer["body"])

    real, embedded = both.each(story)
    assert real[:2] == embedded[:2]
    if path == "/system_stats":
        for part in ("system", "devices"):
            left, right = (value[2][part] for value in (real, embedded))
            assert (left if part == "system" else left[0]).keys() == (right if part == "system" else right[0]).keys()
    else:
        assert type(real[2]) is type(embedded[2])


# ── what is kept for the user ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["NEW", " ", "", "__NEW", "a b/é NEW", None, 7])
def test_users(both: Both, name: Any) -> None:
    new = str(uuid.uuid4())
    body = {"username": name.replace("NEW", new) if isinstance(name, str) else name}

    def story(side: Side) -> Any:
        return [answered(side.ask("POST", "/users", json=body)) for _ in range(2)]

    both.agree(story)


def test_settings(both: Both) -> None:
    name = f"contract.{uuid.uuid4()}"

    def story(side: Side) -> Any:
        answers = [answered(side.ask("POST", f"/settings/{name}", data=data)) for data in (b'{"a": [1]}', b"{")]
        answers += [answered(side.ask("GET", f"/settings/{name}"))]
        answers += [answered(side.ask("POST", "/settings", json={name: 7}))]
        return [*answers, side.get("/settings")[name]]

    *_, kept = both.agree(story)
    assert kept == 7


def test_files_of_the_user(both: Both) -> None:
    top = f"contract-{uuid.uuid4()}"
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", f"/userdata/{top}%2Fa%20b.json", {"data": b"{}"}),
        ("POST", f"/userdata/{top}%2Fa%20b.json?overwrite=false", {"data": b"x"}),
        ("POST", f"/userdata/{top}%2Fdeep%2Fc.txt?overwrite=true", {"data": b"text"}),
        ("POST", f"/userdata/{top}%2F.hidden", {"data": b"x"}),
        ("POST", f"/userdata/{top}/unquoted.txt", {"data": b"x"}),
        ("POST", f"/userdata/{top}%2Fdeep", {"data": b"a directory"}),
        ("POST", f"/userdata/{top}%2Fpage.html", {"data": b"<b>"}),
        *(("GET", f"/userdata/{top}%2F{name}", {}) for name in ("a%20b.json", "deep%2Fc.txt", "page.html", "deep")),
        *(("GET", f"/userdata?dir={top}{query}", {}) for query in ("", "&split=true", "&recurse=false", "%2Fdeep")),
        ("POST", f"/userdata/{top}%2Fa%20b.json/move/{top}%2Fmoved%2Fd.json", {}),
        ("POST", f"/userdata/{top}%2Fpage.html/move/{top}%2Fmoved%2Fd.json?overwrite=false", {}),
        ("GET", f"/userdata/{top}%2Fmoved%2Fd.json", {}),
        ("DELETE", f"/userdata/{top}%2Fmoved%2Fd.json", {}),
        ("DELETE", f"/userdata/{top}%2Fmoved%2Fd.json", {}),
        ("DELETE", f"/userdata/{top}%2Fdeep", {}),
    ]
    lists = [
        *(f"/userdata?dir={top}&recurse=true{query}" for query in ("", "&split=true", "&full_info=true")),
        f"/v2/userdata?path={top}",
    ]

    def ordered(items: list[Any]) -> list[Any]:
        kept = ({**each, "modified": 0, "created": 0} if isinstance(each, dict) else each for each in items)
        return sorted(kept, key=json.dumps)

    def story(side: Side) -> Any:
        answers = []
        for number, (method, path, options) in enumerate(requests):
            answer = answered(side.ask(method, path, **options))
            if isinstance(answer["body"], list):
                answer["body"] = ordered(answer["body"])
            answers.append((number, answer))
        return answers, [ordered(side.get(path)) for path in lists]

    _, found = both.agree(story)
    assert {each["name"] for each in found[-1]} == {"deep", "c.txt", "moved", "page.html", ".hidden"}


# ── history and jobs in parts ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.needs_test_nodes
def test_history_and_jobs_in_parts(both: Both) -> None:
    workflow = str(uuid.uuid4())

    def story(side: Side) -> Any:
        ids = []
        for value in range(4):
            graph = {"1": {"class_type": "TestText", "inputs": {"value": value, "seed": value}}}
            client_id = str(uuid.uuid4())
            with side.listen(client_id) as recorder:
                extra = {"extra_pnginfo": {"workflow": {"id": workflow}}}
                ids.append(side.submit(graph, client_id, extra_data=extra))
                recorder.until_end()
        places = {prompt_id: place for place, prompt_id in enumerate(ids)}
        total = len(side.get("/history"))
        first = total - len(ids)
        slices = [f"max_items={count}" for count in (1, 2, 4)]
        slices += [f"offset={first + offset}" for offset in range(5)]
        slices += [f"max_items={count}&offset={first + 1}" for count in (0, 1, 2)]
        slices += ["max_items=2&offset=-1"]
        told = [[places.get(each, "older") for each in side.get(f"/history?{query}")] for query in slices]
        queries = ["sort_order=asc", "", "limit=2", "limit=2&offset=1&sort_order=asc", "offset=3", "status=completed"]
        queries += ["status=failed", "status=failed,completed&limit=1"]
        for query in queries:
            page = side.get(f"/api/jobs?workflow_id={workflow}&{query}")
            told.append([places[job["id"]] for job in page["jobs"]] + [page["pagination"]])
        for body in ({"delete": ids[:1]}, {"delete": [UNKNOWN, *ids[1:3]]}):
            side.ask("POST", "/history", json=body).raise_for_status()
            told.append([places[each] for each in side.get("/history") if each in places])
        return told

    told = both.agree(story)
    assert told[-1] == [3]
    assert len(list(itertools.chain(*told))) > 20
