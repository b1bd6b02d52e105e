"""``comfyclient run`` and ``submit``, and what becomes of their jobs: ``watch``, ``status``, ``outputs``."""

from __future__ import annotations

import contextlib
import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from PIL import Image

from comfyclient.cli.app import App
from comfyclient.cli.commands.submit import SubmittedDocument
from comfyclient.cli.commands.watch import WatchedJob
from comfyclient.cli.documents import ErrorDocument
from comfyclient.cli.jobs import JobDocument
from comfyclient.cli.results import ResultDocument
from comfyclient.cli.submission import _change, _value
from tests.conftest import soon
from tests.contract.sides import Real
from tests.workflows import (
    Graph,
    failing,
    filled,
    fresh,
    fresh_color,
    half_wrong,
    node,
    pixels,
    plain,
    plain_saved,
    sleeping,
    text,
)

if TYPE_CHECKING:
    from comfyclient.testing import EmbeddedServer
    from tests.cli.program import Program
    from tests.contract.sides import Side

pytestmark = pytest.mark.needs_test_nodes


def write(program: Program, graph: Any, name: str = "workflow.json") -> Path:
    """A workflow as a file."""
    path = program.directory / name
    path.write_text(json.dumps(graph), encoding="utf-8")
    return path


def loading(count: int = 1) -> Graph:
    """Images that are loaded and saved."""
    graph: Graph = {}
    for number in range(1, count + 1):
        graph[f"{number}"] = node("LoadImage", f"Photo {number}", image="missing.png")
        graph[f"1{number}"] = node("SaveImage", images=[f"{number}", 0], filename_prefix="comfyclient_tests/cli")
    return graph


# --- run ----------------------------------------------------------------------------------------------------


def test_a_workflow_is_changed_run_and_saved(comfyclient: Program) -> None:
    color = fresh_color()
    file = write(comfyclient, plain(0))
    done = comfyclient("run", file, "--set", f"EmptyImage.color={color}", "-s", "2.filename_prefix=fox", "-o", "out/")
    [path] = done.lines
    assert path.startswith("out/fox_")
    assert pixels((comfyclient.directory / path).read_bytes()) == filled(color)
    assert done.err.startswith("job ")
    assert "done" in done.err


def test_a_result_as_json(comfyclient: Program) -> None:
    graph = {**plain(fresh_color()), **{f"1{key}": each for key, each in text("a text").items()}}
    done = comfyclient("run", "-", "--json", "--quiet", "--output", "fox.png", stdin=json.dumps(graph))
    assert not done.err
    result = done.json(ResultDocument)
    [file] = result["files"]
    assert (file["node_id"], file["title"], file["kind"], file["path"]) == ("2", "Save it", "image", "fox.png")
    assert requests.get(file["url"], timeout=30).content == (comfyclient.directory / "fox.png").read_bytes()
    assert result["texts"] == [{"node_id": "11", "title": "TestText", "text": "a text"}]
    assert result["status"] == "completed"


def test_what_the_editor_saved_and_what_an_image_holds(comfyclient: Program) -> None:
    color = fresh_color()
    comfyclient.inside("run", write(comfyclient, plain_saved(color)), "-o", "first.png")
    [address] = comfyclient("run", "first.png", "--set", "1.width=8").lines
    assert pixels(requests.get(address, timeout=30).content) == filled(color)[: 8 * 16 * 3]


def test_files_that_exist_are_kept(program: Program, embedded_side: Side) -> None:
    file = write(program, plain(fresh_color()))

    def run(*options: str) -> list[str]:
        return program.inside("run", file, "--url", embedded_side.url, "-o", "fox.png", *options).lines

    (program.directory / "fox.png").write_bytes(b"mine")
    assert run() == ["fox-2.png"]
    assert (program.directory / "fox.png").read_bytes() == b"mine"
    assert run("--overwrite") == ["fox.png"]
    assert (program.directory / "fox.png").read_bytes() != b"mine"
    (program.directory / "plain").touch()
    done = program.inside("run", file, "--url", embedded_side.url, "-o", "plain", code=2)
    assert "plain is no directory" in done.err


def test_files_that_cannot_be_written(program: Program, embedded_side: Side) -> None:
    file = write(program, plain(fresh_color()))
    (program.directory / "plain").touch()
    for output in ("plain/fox.png", "plain/sub/fox.png", "plain/sub/"):
        error = program.inside("run", file, "--json", "--url", embedded_side.url, "-o", output, code=1).error()
        assert error["message"].startswith("plain")
        assert f"comfyclient outputs {error['prompt_id']}" in error["message"]


def test_a_file_of_ones_own(comfyclient: Program) -> None:
    Image.new("RGB", (16, 16), (1, 2, 3)).save(comfyclient.directory / "photo.png")
    comfyclient("run", write(comfyclient, loading()), "--input", "photo.png", "-o", "loaded.png")
    assert pixels((comfyclient.directory / "loaded.png").read_bytes()) == filled(0x010203)


def test_files_of_ones_own_for_several_inputs(program: Program, embedded_side: Side) -> None:
    program.environment["COMFYUI_URL"] = embedded_side.url
    file = write(program, loading(2))
    Image.new("RGB", (16, 16), (1, 2, 3)).save(program.directory / "a.png")
    error = program.inside("run", file, "--input", "a.png", "--json", code=2).error()
    assert "--input 1.image=a.png    for node 1 'Photo 1' (LoadImage)" in error["message"]
    assert "--input 2.image=a.png" in error["message"]
    result = program.inside("run", file, "-i", "Photo 1.image=a.png", "-i", "2.image=a.png", "--json").json(
        ResultDocument
    )
    assert [each["node_id"] for each in result["files"]] == ["11", "12"]
    assert "no file b.png" in program.inside("run", file, "-i", "1.image=b.png", code=2).err
    assert "takes a file" in program.inside("run", write(program, plain(0)), "-i", "a.png", code=2).err


@pytest.mark.parametrize(
    ("text", "now", "value"),
    [
        ("a fox", "", "a fox"),
        ("12", 0, 12),
        ("12", "", "12"),
        ("1.50", "", "1.50"),
        ("true", False, True),
        ("true", "", "true"),
        ("False", True, False),
        ("False", None, False),
        ("False", "", "False"),
        ('"quoted"', "", "quoted"),
        ('["4", 0]', "", ["4", 0]),
        ("euler", 1, "euler"),
        ("NaN", 0.5, "NaN"),
        ("random", "", "random"),
    ],
)
def test_what_a_value_means(text: str, now: Any, value: Any) -> None:
    assert _value(text, now) == value
    assert type(_value(text, now)) is type(value)


def test_a_random_value_fits_its_input(program: Program, embedded_side: Side) -> None:
    file = write(program, {**plain(0), "3": node("ImageScaleBy", image=["1", 0], upscale_method="area", scale_by=1.0)})
    program.environment["COMFYUI_URL"] = embedded_side.url
    prompt_id = program.inside("submit", file, "-s", "1.color=random", "-s", "2.filename_prefix=random").out.strip()
    program.inside("watch", prompt_id)
    sent = embedded_side.get(f"/history/{prompt_id}")[prompt_id]["prompt"][2]
    assert 0 <= sent["1"]["inputs"]["color"] < 2**24
    assert sent["2"]["inputs"]["filename_prefix"] == "random"
    app = App()
    app.server = embedded_side.url
    with contextlib.closing(app):
        workflow = app.client.load(file)
        drawn = {_change(app, workflow, "3.scale_by=random")[1] for _ in range(10)}
    assert len(drawn) > 1
    assert all(0.01 <= value <= 8.0 for value in drawn)


def test_changes_that_fit_nothing(program: Program, embedded_side: Side) -> None:
    program.environment["COMFYUI_URL"] = embedded_side.url
    file = write(program, plain(0))
    assert "nearest: 1 'EmptyImage'" in program.inside("run", file, "--set", "EmtyImage.color=1", code=2).err
    assert "write NODE.INPUT=VALUE" in program.inside("run", file, "--set", "color", code=2).err
    assert "no-such.json: No such file" in program.inside("run", "no-such.json", code=2).err


def test_an_input_that_the_file_leaves_out(program: Program, embedded_side: Side) -> None:
    program.environment["COMFYUI_URL"] = embedded_side.url
    graph = plain(fresh_color())
    del graph["1"]["inputs"]["color"]
    prompt_id = program.inside("submit", write(program, graph), "-s", "1.color=7").out.strip()
    program.inside("watch", prompt_id)
    sent = embedded_side.get(f"/history/{prompt_id}")[prompt_id]["prompt"][2]
    assert sent["1"]["inputs"]["color"] == 7
    assert "has no input 'colour'" in program.inside("submit", write(program, graph), "-s", "1.colour=7", code=2).err


def test_only_some_outputs(program: Program, embedded_side: Side) -> None:
    program.environment["COMFYUI_URL"] = embedded_side.url
    graph = {**plain(fresh_color()), "3": node("PreviewImage", images=["1", 0])}
    result = program.inside("run", write(program, graph), "--target", "3", "--json").json(ResultDocument)
    assert [file["node_id"] for file in result["files"]] == ["3"]


def test_several_times(comfyclient: Program) -> None:
    file = write(comfyclient, plain(0))
    done = comfyclient.inside("run", file, "-s", "1.color=random", "--count", "2", "-o", "fox.png", "--json")
    assert [result["files"][0]["path"] for result in done.json_lines(ResultDocument)] == ["fox.png", "fox-2.png"]
    first, second = (pixels((comfyclient.directory / name).read_bytes()) for name in ("fox.png", "fox-2.png"))
    assert first != second


# --- what goes wrong ----------------------------------------------------------------------------------------


def test_a_node_fails(comfyclient: Program) -> None:
    file = write(comfyclient, failing("because"))
    error = comfyclient("run", file, "--json", code=1).error()
    assert (error["type"], error["node_id"], error["exception_type"]) == ("JobFailed", "1", "ValueError")
    assert error["exception_message"] == "because"
    assert error["traceback"]
    done = comfyclient.inside("run", file, code=1)
    assert "node 1 'Trouble' (TestRaise) raised ValueError: because" in done.err
    assert not done.out


def test_the_server_refuses(comfyclient: Program) -> None:
    graph = plain(0)
    graph["1"]["inputs"]["width"] = 0
    error = comfyclient("run", write(comfyclient, graph), "--json", code=3).error()
    assert error["type"] == "PromptRejected"
    [problem] = error["problems"]
    assert (problem["node_id"], problem["input_name"], problem["kind"]) == ("1", "width", "value_smaller_than_min")


def test_it_is_no_workflow(program: Program, embedded_side: Side) -> None:
    (program.directory / "notes.txt").write_text("hello")
    done = program.inside("run", "notes.txt", "--url", embedded_side.url, code=3)
    assert "notes.txt is text of no known kind" in done.err


def test_a_part_is_refused(program: Program, embedded_side: Side) -> None:
    program.environment["COMFYUI_URL"] = embedded_side.url
    file = write(program, half_wrong(fresh_color()))
    assert "some of its outputs" in program.inside("run", file, code=3).err
    done = program.inside("run", file, "--partial", "--json")
    [problem] = done.json(ResultDocument)["refused"]
    assert problem["node_id"] == "3"
    assert "Warning: left out: node 3 'Enlarge'" in done.err
    assert program.inside("submit", file, "--partial", "--json").json(SubmittedDocument)["refused"]


def test_it_takes_too_long(comfyclient: Program, side: Side) -> None:
    gate = side.gate()
    file = write(comfyclient, gate.workflow())
    error = comfyclient("run", file, "--timeout", "1", "--json", code=5).error()
    assert error["type"] == "JobTimeout"
    assert f"comfyclient cancel {error['prompt_id']} stops it" in error["message"]
    assert [job["prompt_id"] for job in json.loads(comfyclient.inside("queue", "--json").out)["jobs"]] == [
        error["prompt_id"]
    ]
    gate.open()


# --- Ctrl-C -------------------------------------------------------------------------------------------------


def test_ctrl_c_cancels_the_job(comfyclient: Program, side: Side) -> None:
    gate = side.gate()
    running = comfyclient.start("run", write(comfyclient, gate.workflow()))
    gate.wait()
    prompt_id = running.wait_for("job ", "err").split()[1]
    running.signal()
    done = running.end()
    assert done.code == 130
    assert done.err.splitlines()[1:] == [
        "cancelling the job; Ctrl-C again leaves at once",
        f"interrupted; job {prompt_id} is cancelled",
    ]
    assert side.get("/queue") == {"queue_running": [], "queue_pending": []}


def test_so_does_sigterm(program: Program, embedded_side: Side) -> None:
    gate = embedded_side.gate()
    running = program.start("run", write(program, gate.workflow()), "--json", "--url", embedded_side.url)
    gate.wait()
    running.wait_for("job ", "err")
    running.signal(signal.SIGTERM)
    done = running.end()
    assert done.code == 143
    error = done.error()
    assert error["message"] == f"terminated; job {error['prompt_id']} is cancelled"
    assert not embedded_side.get("/queue")["queue_running"]


def test_the_second_ctrl_c_leaves_at_once(program: Program, comfyui_url: str) -> None:
    graph = sleeping(8, interruptible=False)
    running = program.start("run", write(program, graph), "--url", comfyui_url)
    running.wait_for("job ", "err")
    side = Real(comfyui_url)
    assert soon(lambda: bool(side.get("/queue")["queue_running"]))  # what waits could be cancelled at once
    running.signal()
    running.wait_for("cancelling", "err")
    running.signal()
    done = running.end()
    assert done.code == 130
    assert "is cancelled" not in done.err


def test_ctrl_c_while_files_are_saved(program: Program, embedded: EmbeddedServer) -> None:
    embedded.lose_next_answer("/view", method="GET", hangs=True)
    running = program.start("run", write(program, plain(fresh_color())), "--url", embedded.url, "-o", "fox.png")
    prompt_id = running.wait_for("job ", "err").split()[1]
    running.wait_for("done in", "err")
    running.signal()
    done = running.end()
    assert done.code == 130
    assert f"interrupted; job {prompt_id} had ended" in done.err
    assert not [*program.directory.glob("*.png")]
    with contextlib.suppress(requests.Timeout):  # if it was interrupted before it asked
        requests.get(f"{embedded.url}/view", timeout=1)


def test_somebody_else_stops_it(program: Program, embedded_side: Side) -> None:
    gate = embedded_side.gate()
    running = program.start("run", write(program, gate.workflow()), "--json", "--url", embedded_side.url)
    gate.wait()
    embedded_side.ask("POST", "/interrupt")
    done = running.end()
    assert done.code == 1
    assert done.error()["type"] == "JobInterrupted"


# --- submit, and what follows -------------------------------------------------------------------------------


def test_what_a_job_made_before_it_failed(comfyclient: Program, side: Side) -> None:
    raising = node("TestRaise", "Trouble", exception="ValueError", message="because", value=["1", 0])
    prompt_id = side.submit({"1": node("TestText", value="kept", seed=fresh()), "2": raising})
    comfyclient("watch", prompt_id, code=1)
    done = comfyclient.inside("outputs", prompt_id, code=1)
    assert done.lines == ["kept"]
    assert "raised ValueError: because" in done.err
    result = comfyclient.inside("outputs", prompt_id, "--json", code=1).json(ResultDocument)
    assert (result["status"], [each["text"] for each in result["texts"]]) == ("failed", ["kept"])
    assert (result["error"]["type"], result["error"]["exit_code"]) == ("JobFailed", 1)


def test_from_submission_to_the_files(comfyclient: Program, side: Side) -> None:
    gate = side.gate()
    graph = {**plain(fresh_color()), "5": gate.node(value=["1", 0]), "6": node("PreviewImage", images=["5", 0])}
    file = write(comfyclient, graph)
    prompt_id = comfyclient("submit", file).out.strip()
    gate.wait()
    waiting = comfyclient.inside("run", file, "--no-wait", "--json").json(SubmittedDocument)["prompt_id"]
    job = comfyclient("status", prompt_id, "--json").json(JobDocument)
    assert (job["status"], job["finished_at"]) == ("in_progress", None)
    assert "status\twaiting" in comfyclient.inside("status", waiting[:9]).lines
    assert "has not ended" in comfyclient.inside("outputs", prompt_id, code=5).err

    watching = comfyclient.start("watch", waiting, "--json")
    watching.wait_for("pending")
    gate.open()
    states = watching.end().json_lines(WatchedJob)
    assert [states[0]["status"], states[-1]["status"], states[-1]["progress"]] == ["pending", "completed", 1.0]

    assert len(comfyclient.inside("outputs", prompt_id[:10]).lines) == 2
    result = comfyclient("outputs", prompt_id, "-o", "out", "--json").json(ResultDocument)
    assert [(each["node_id"], Path(each["path"]).parent.name) for each in result["files"]] == [
        ("2", "out"),
        ("6", "out"),
    ]
    assert all((comfyclient.directory / each["path"]).stat().st_size for each in result["files"])


def test_watching_a_job_that_fails(comfyclient: Program) -> None:
    prompt_id = comfyclient.inside("submit", write(comfyclient, failing())).out.strip()
    done = comfyclient("watch", prompt_id, code=1)
    assert done.lines[-1].endswith("\tfailed: node 1 Trouble")
    assert "raised ValueError: because" in done.err
    states = comfyclient.inside("watch", prompt_id, "--json", code=1).json_lines(WatchedJob, ErrorDocument)
    assert states[-1]["error"]["prompt_id"] == prompt_id


def test_nothing_to_wait_for(program: Program) -> None:
    assert "leaves nothing to wait for" in program.inside("run", "x", "--no-wait", "--timeout", "1", code=2).err


def test_a_job_that_nobody_knows(program: Program, embedded_side: Side) -> None:
    program.environment["COMFYUI_URL"] = embedded_side.url
    nobody = "00000000-0000-4000-8000-000000000000"
    for command in ("status", "watch", "outputs", "cancel"):
        assert "know" in program.inside(command, nobody, code=1).err
    assert "begins with f0f0" in program.inside("status", "f0f0", code=1).err
    ids = [embedded_side.submit(plain(fresh_color())) for _ in range(17)]  # two of them begin alike
    letter = next(one[0] for one in ids if sum(other[0] == one[0] for other in ids) > 1)
    assert f"jobs begin with {letter}: " in program.inside("status", letter, code=2).err
