"""Every program under docs/examples runs, as a process of its own: on an embedded server, some on a real one too."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import requests
from PIL import Image

from comfyclient import Client, Workflow
from comfyclient.testing import EmbeddedServer
from tests.conftest import soon
from tests.contract import nodes
from tests.contract.sides import EmbeddedGate
from tests.docs.conftest import hold
from tests.docs.pages import DOCS, PAGES, blocks
from tests.fakes import nobody
from tests.workflows import Gate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLES = DOCS / "examples"
PATIENCE = 60  # seconds that a program may take
on_both = pytest.mark.parametrize(
    "server", ["embedded_place", pytest.param("place", marks=pytest.mark.needs_test_nodes)]
)


@pytest.fixture
def comfy_options() -> dict[str, Any]:
    """An embedded server that has the gate of the tests."""
    return {"nodes": [nodes.TestGate]}


@pytest.fixture
def somewhere(server: str, request: pytest.FixtureRequest) -> Path:
    """The working directory of a reader with the one server or the other."""
    place: Path = request.getfixturevalue(server)
    return place


def start(name: str, *arguments: object, said: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    command = [sys.executable, str(EXAMPLES / name), *map(str, arguments)]
    return subprocess.run(command, input=said, capture_output=True, text=True, timeout=PATIENCE, check=False)


def run(name: str, *arguments: object, said: str = "") -> str:
    """What the program prints; that nothing goes wrong."""
    done = start(name, *arguments, said=said)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def pictures(directory: Path) -> list[Path]:
    """The images below a directory, whole ones."""
    found = sorted(path for path in directory.rglob("*") if path.suffix in {".png", ".jpeg"})
    for path in found:
        Image.open(path).load()
    return found


# ── all of them ──────────────────────────────────────────────────────────────────────────────────────────────────────


PROGRAMS = {
    path.relative_to(EXAMPLES).as_posix(): path.stem
    for path in EXAMPLES.rglob("*.py")
    if not path.stem.startswith("test_")
}
GONE = {
    "another_seed.py": ["gone.png"],
    "batch_csv.py": ["portrait.json", "gone.csv"],
    "contact_sheet.py": ["gone.json"],
    "export_api.py": ["gone.json", "export.json"],
    "failover.py": ["gone.json", "http://127.0.0.1:9"],
    "first_image.py": ["gone.json", "a fox"],
    "gather.py": ["gone.json", "a fox"],
    "image_to_image.py": ["gone.png", "watercolour"],
    "live_previews.py": ["gone.json"],
    "progress_log.py": ["gone.json"],
    "reattach.py": ["submit", "gone.json"],
    "several_servers.py": ["portrait.json", "gone.txt", "http://127.0.0.1:9"],
    "storyboard/storyboard.py": ["gone.txt"],
    "watch_folder.py": ["gone", "outbox", "image-to-image.json"],
    "worker.py": ["gone.json"],
}
"""Arguments of each program that reads a file, one of them of a file that is not there."""


@pytest.mark.parametrize("name", sorted(PROGRAMS.keys() - {"fastapi_service.py"}))  # which uvicorn starts
def test_a_program_says_how_it_is_used(name: str, directory: Path) -> None:
    before = {*directory.iterdir()}
    assert run(name, "--help").startswith(f"usage: {PROGRAMS[name]}.py ")
    assert {*directory.iterdir()} == before


@pytest.mark.parametrize("name", sorted(GONE))
@pytest.mark.usefixtures("embedded_place")
def test_a_program_says_which_file_is_not_there(name: str) -> None:
    done = start(name, *GONE[name])
    assert done.returncode == 1
    assert "gone" in done.stderr
    assert "Traceback" not in done.stderr


# ── first steps ──────────────────────────────────────────────────────────────────────────────────────────────────────


@on_both
def test_demo(somewhere: Path) -> None:
    said = run("demo.py")
    assert "100%" in said
    assert pictures(somewhere)[0].name == "demo.png"


def test_demo_without_a_server(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMFYUI_URL", raising=False)
    assert "an embedded server" in run("demo.py")
    assert pictures(directory)[0].name == "demo.png"


@on_both
@pytest.mark.parametrize("name", ["portrait.json", "portrait-saved.json"])
def test_first_image(somewhere: Path, name: str) -> None:
    assert "Saved images/portrait_" in run("first_image.py", name, "a fox in the snow")
    assert len(pictures(somewhere / "images")) == 1


@pytest.mark.usefixtures("embedded_place")
def test_first_image_says_what_is_wrong() -> None:
    done = start("first_image.py", "photo.png", "a fox")
    assert done.returncode == 1
    assert "Export (API)" in done.stderr
    assert "Traceback" not in done.stderr


@on_both
def test_gather(somewhere: Path) -> None:
    lines = run("gather.py", "portrait.json", "a fox", "an owl").splitlines()
    assert [line.split(":")[0] for line in lines] == ["a fox", "an owl"]
    assert len(pictures(somewhere / "images")) == 2


@on_both
def test_reattach(somewhere: Path) -> None:
    prompt_id = run("reattach.py", "submit", "portrait.json").strip()
    assert "Saved images/portrait_" in run("reattach.py", "collect", prompt_id)
    assert len(pictures(somewhere / "images")) == 1


# ── many jobs ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_batch_csv(embedded_place: Path, comfy_server: EmbeddedServer) -> None:
    with (embedded_place / "prompts.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["Positive prompt.text", "KSampler.seed", "KSampler.steps"])
        rows.writerows([["a fox, red", 1, 2], ["an owl", 2, ""], ["a bear", 3, 0]])

    done = start("batch_csv.py", "portrait.json", "prompts.csv")

    assert done.returncode == 1
    assert sorted(line.split(":")[0] for line in done.stdout.splitlines()) == ["row 001", "row 002"]
    assert "row 003: the server refused the workflow" in done.stderr
    assert [path.parent.name for path in pictures(embedded_place / "images")] == ["row 001", "row 002"]
    sent = [submission.prompt for submission in comfy_server.submitted if submission.accepted]
    assert [prompt["6"]["inputs"]["text"] for prompt in sent] == ["a fox, red", "an owl"]


def test_contact_sheet(embedded_place: Path, comfy_server: EmbeddedServer) -> None:
    assert run("contact_sheet.py", "portrait.json", "--cfg", 2, 8, "--steps", 1, 2, 3) == "Saved sheet.png\n"
    with Image.open(embedded_place / "sheet.png") as sheet:
        assert sheet.size == (2 * 256, 3 * 276)
    assert len(comfy_server.submitted) == 6


def test_another_seed(embedded_place: Path, comfy_server: EmbeddedServer) -> None:
    run("first_image.py", "portrait.json", "a fox")
    [image] = pictures(embedded_place / "images")

    run("another_seed.py", image, "--count", 2)

    assert len(pictures(embedded_place / "images")) == 3
    seeds = {submission.prompt["3"]["inputs"]["seed"] for submission in comfy_server.submitted}
    texts = {submission.prompt["6"]["inputs"]["text"] for submission in comfy_server.submitted}
    assert (len(seeds), texts) == (3, {"a fox"})


def test_worker(embedded_place: Path) -> None:
    lines = run("worker.py", "portrait.json", said="a fox\n\nan owl\n").splitlines()
    assert sorted(line.split(":")[0] for line in lines) == ["a fox", "an owl"]
    assert len(pictures(embedded_place / "images")) == 2


def test_several_servers(embedded_place: Path, comfy_server: EmbeddedServer) -> None:
    texts = [f"animal {number}" for number in range(6)]
    (embedded_place / "texts.txt").write_text("\n\n".join(texts), encoding="utf-8")

    with EmbeddedServer() as another, nobody() as gone:
        done = start("several_servers.py", "portrait.json", "texts.txt", comfy_server.url, gone, another.url)

    assert done.returncode == 0
    assert f"no ComfyUI server answers at {gone}" in done.stderr
    assert sorted(line.split(":")[0] for line in done.stdout.splitlines()) == texts
    assert len(pictures(embedded_place / "images")) == 6


@pytest.mark.usefixtures("embedded_place")
def test_several_servers_of_which_none_is_there() -> None:
    with open("texts.txt", "w", encoding="utf-8") as file:  # noqa: PTH123 - a reader's file, where the test is
        file.write("a fox\nan owl\na bear\n")
    with nobody() as gone:
        done = start("several_servers.py", "portrait.json", "texts.txt", gone)
    assert done.returncode == 1
    assert "3 texts are left, and no server" in done.stderr


def test_failover(embedded_place: Path, comfy_server: EmbeddedServer) -> None:
    with nobody() as gone:
        done = start("failover.py", "portrait.json", gone, comfy_server.url)
    assert done.returncode == 0
    assert f"no ComfyUI server answers at {gone}" in done.stderr
    assert len(pictures(embedded_place / "images")) == 1


@pytest.mark.usefixtures("embedded_place")
def test_failover_without_any_server() -> None:
    with nobody() as gone:
        done = start("failover.py", "portrait.json", gone, "--rounds", 2)
    assert done.returncode == 1
    assert done.stderr.count("no ComfyUI server answers") == 3  # twice on the way, once in the end
    assert "Traceback" not in done.stderr


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_image_to_image(embedded_place: Path) -> None:
    assert run("image_to_image.py", "photo.png", "watercolour", "--denoise", 0.1) == "Saved photo-painted.png\n"
    with Image.open(embedded_place / "photo-painted.png") as painted:
        red, green, blue = painted.getpixel((256, 256))
    assert red > green > blue  # still rather orange


def test_watch_folder(embedded_place: Path) -> None:
    inbox = embedded_place / "inbox"
    inbox.mkdir()
    shutil.copy("photo.png", inbox / "one.png")
    (inbox / "notes.txt").write_text("no picture")
    arguments = ("inbox", "outbox", "image-to-image.json")

    assert run("watch_folder.py", *arguments) == "inbox/one.png -> outbox/one.png.png\n"
    shutil.copy("photo.png", inbox / "two.png")
    assert run("watch_folder.py", *arguments) == "inbox/two.png -> outbox/two.png.png\n"
    assert run("watch_folder.py", *arguments) == ""
    assert len(pictures(embedded_place / "outbox")) == 2


def test_download_history(embedded_place: Path, comfy_server: EmbeddedServer) -> None:
    workflow = Workflow.load("portrait.json")
    results = []
    with Client(comfy_server.url) as client:
        for seed in range(3):
            workflow["3"]["seed"] = seed
            results.append(client.run(workflow))
        comfy_server.fail_next("KSampler", RuntimeError("out of ink"))
        workflow["3"]["seed"] = 3
        assert client.submit(workflow).exception() is not None
    first, second, third = results
    (comfy_server.directory("output") / third.images[0].filename).unlink()

    done = start("download_history.py", "backup")

    assert done.returncode == 0
    assert done.stdout.splitlines() == [f"Saved backup/{result.prompt_id}" for result in (first, second)]
    assert done.stderr.startswith(f"{third.prompt_id} is not complete any more")
    assert len(pictures(embedded_place / "backup")) == 2
    assert start("download_history.py", "backup").stdout == ""


def test_export_api(embedded_place: Path) -> None:
    assert run("export_api.py", "portrait-saved.json", "export.json") == "Saved export.json\n"
    assert Workflow.load("export.json").to_api() == Workflow.load("portrait.json").to_api()
    assert run("export_api.py", "export.json", "drawn.json", "--editor") == "Saved drawn.json\n"
    assert json.loads((embedded_place / "drawn.json").read_text("utf-8"))["nodes"]


# ── events ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@on_both
def test_live_previews(somewhere: Path, server: str) -> None:
    gate = EmbeddedGate("") if server == "embedded_place" else Gate(os.environ["COMFYUI_URL"])
    hold(somewhere / "portrait.json", gate)
    command = [sys.executable, str(EXAMPLES / "live_previews.py"), "portrait.json"]
    with subprocess.Popen(command) as running:
        try:
            assert soon(lambda: any((somewhere / "previews").glob("latest.*")), PATIENCE)
        finally:
            gate.open()
        assert running.wait(PATIENCE) == 0
    *numbered, latest = pictures(somewhere / "previews")
    assert latest.stem == "latest"
    assert latest.read_bytes() == numbered[-1].read_bytes()
    assert len(pictures(somewhere / "images")) == 1


@pytest.mark.usefixtures("embedded_place")
def test_progress_log(comfy_server: EmbeddedServer) -> None:
    workflow = Workflow.load("portrait.json")
    workflow["3"]["seed"] = 1
    workflow.save("another.json")

    said = run("progress_log.py", "portrait.json", "another.json")

    assert said.count("runs") == said.count("has ended") == len(comfy_server.submitted) == 2
    assert "node 3 is at 100 %" in said


@pytest.mark.usefixtures("embedded_place")
def test_progress_log_of_a_failure(comfy_server: EmbeddedServer) -> None:
    comfy_server.fail_next("KSampler", RuntimeError("out of ink"))
    done = start("progress_log.py", "portrait.json")
    assert done.returncode == 1
    assert "node 3 failed: out of ink" in done.stdout
    assert done.stderr == "1 of 1 failed\n"


# ── applications ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_storyboard(embedded_place: Path) -> None:
    for path in (EXAMPLES / "storyboard").iterdir():
        if path.is_file():
            shutil.copy(path, embedded_place)
    lines = run("storyboard/storyboard.py", "story.txt").splitlines()
    assert lines == [f"{number} of 3: storyboard/00{number}.png" for number in (1, 2, 3)]
    assert "house with one light" in (embedded_place / "storyboard" / "index.html").read_text("utf-8")

    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:randomly", "."]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = [
        body for kind, body in blocks(PAGES["docs/tutorial/application.md"].read_text("utf-8")) if kind == "console"
    ]
    for line in [*lines, *done.stdout.split(" in ")[0].splitlines()]:
        assert any(line in body.splitlines() for body in told), line


def test_a_storyboard_without_any_picture(embedded_place: Path, comfy_server: EmbeddedServer) -> None:
    (embedded_place / "story.txt").write_text("A house\n", encoding="utf-8")
    comfy_server.fail_next("KSampler", RuntimeError("out of ink"))
    assert run("storyboard/storyboard.py", "story.txt") == "1 of 1: out of ink\n"
    assert "out of ink" in (embedded_place / "storyboard" / "index.html").read_text("utf-8")


@contextmanager
def served() -> Iterator[str]:
    """The address of the FastAPI service, which is stopped in the end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:  # who connects before the service is up waits
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = [sys.executable, "-m", "uvicorn", "--factory", "fastapi_service:from_environment"]
        options = ["--app-dir", str(EXAMPLES), "--fd", str(listener.fileno()), "--timeout-graceful-shutdown", "1"]
        service = subprocess.Popen(
            [*command, *options], pass_fds=[listener.fileno()], stderr=subprocess.PIPE, text=True
        )
    try:
        yield url
    finally:
        service.terminate()
        try:
            _, said = service.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            service.kill()
            raise
    assert "Application shutdown complete" in said
    assert "Traceback" not in said, said


def ordered(http: requests.Session, url: str, text: str) -> str:
    """The address of a picture that was just ordered."""
    answer = http.post(f"{url}/pictures", json={"text": text}, timeout=PATIENCE)
    assert answer.status_code == 202
    return f"{url}/pictures/{answer.json()['id']}"


def test_fastapi_service(embedded_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKFLOW", "portrait.json")
    gate = EmbeddedGate("")
    hold(embedded_place / "portrait.json", gate)
    with served() as url, requests.Session() as http:
        place = ordered(http, url, "a fox")
        assert http.get(f"{place}/image", timeout=PATIENCE).status_code == 409
        with http.get(f"{place}/events", stream=True, timeout=PATIENCE) as stream:
            assert stream.headers["Content-Type"].startswith("text/event-stream")
            events = (json.loads(line.removeprefix(b"data: ")) for line in stream.iter_lines() if line)
            halfway = next(each for each in events if each["progress"] > 0)
            gate.open()
            *_, last = events
        assert (halfway["status"], halfway["progress"] < 1) == ("in_progress", True)
        assert (last["status"], last["progress"], last["error"]) == ("completed", 1.0, None)
        image = http.get(f"{place}/image", timeout=PATIENCE)
        assert image.headers["Content-Type"] == "image/png"
        assert Image.open(io.BytesIO(image.content)).size == (512, 512)
        assert http.get(f"{url}/pictures/unknown", timeout=PATIENCE).status_code == 404
        assert http.post(f"{url}/pictures", json={}, timeout=PATIENCE).status_code == 422


@pytest.mark.usefixtures("embedded_place")
def test_fastapi_service_and_what_goes_wrong(monkeypatch: pytest.MonkeyPatch, comfy_server: EmbeddedServer) -> None:
    monkeypatch.setenv("WORKFLOW", "portrait.json")
    with served() as url, requests.Session() as http:
        comfy_server.fail_next("KSampler", RuntimeError("out of ink"))
        place = ordered(http, url, "a fox")
        assert "out of ink" in http.get(f"{place}/events", timeout=PATIENCE).text
        assert "out of ink" in http.get(place, timeout=PATIENCE).json()["error"]
        gone = http.get(f"{place}/image", timeout=PATIENCE)
        assert gone.status_code == 410
        assert "out of ink" in gone.json()["detail"]

        comfy_server.latency.step = 1.0
        stopped = http.delete(ordered(http, url, "an owl"), timeout=PATIENCE)
        assert stopped.json()["status"] == "cancelled"

        with comfy_server.down():
            assert http.post(f"{url}/pictures", json={"text": "a bear"}, timeout=PATIENCE).status_code == 503


@pytest.mark.usefixtures("embedded_place")
def test_fastapi_service_ends_while_somebody_follows(
    monkeypatch: pytest.MonkeyPatch, comfy_server: EmbeddedServer
) -> None:
    monkeypatch.setenv("WORKFLOW", "portrait.json")
    comfy_server.latency.step = 1.0
    with served() as url, requests.Session() as http:
        picture = ordered(http, url, "a fox").rpartition("/")[2]
        with http.get(f"{url}/pictures/{picture}/events", stream=True, timeout=PATIENCE) as stream:
            assert next(stream.iter_lines()).startswith(b"data: ")
    comfy_server.latency.step = 0.0
    with served() as url, requests.Session() as http:
        http.get(f"{url}/pictures/{picture}/events", timeout=PATIENCE)
        assert http.get(f"{url}/pictures/{picture}", timeout=PATIENCE).json()["status"] == "completed"
    assert len(comfy_server.submitted) == 1


def test_every_example_is_tested_and_listed() -> None:
    programs = {*PROGRAMS.values()}
    listed = re.findall(
        r"^\| \{download\}`(?:[^`]*/)?(\w+)\.py[`> ]", (EXAMPLES / "index.md").read_text("utf-8"), re.MULTILINE
    )
    assert sorted(listed) == sorted(programs)
    tested = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert programs - tested == set()
