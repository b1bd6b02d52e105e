"""The commands about the server and its jobs: how busy it is, what has ended, its log, its memory."""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
from typing import TYPE_CHECKING

import pytest

from comfyclient import Client, __version__
from comfyclient._realtime.connection import Connection
from comfyclient.cli.app import App
from comfyclient.cli.commands.cancel import CancelDocument
from comfyclient.cli.commands.free import FreeDocument
from comfyclient.cli.commands.history import HistoryDocument
from comfyclient.cli.commands.info import InfoDocument
from comfyclient.cli.commands.logs import LogLine, _lines
from comfyclient.cli.commands.queue import QueueDocument
from comfyclient.cli.commands.watch import WatchedServer, _states
from comfyclient.cli.documents import ErrorDocument
from comfyclient.cli.server import ServerDocument, look
from comfyclient.types import LogEntry
from tests.cli.test_program import complete
from tests.fakes import FlakyServer, json_reply
from tests.workflows import failing, fresh_color, plain

if TYPE_CHECKING:
    from tests.cli.program import Program
    from tests.contract.sides import Side

pytestmark = pytest.mark.needs_test_nodes


def test_how_busy_the_server_is(comfyclient: Program, side: Side) -> None:
    gate = side.gate()
    first, second = side.submit(gate.workflow()), side.submit(gate.workflow())
    gate.wait()
    server = comfyclient("status", "--json").json(ServerDocument)
    assert (server["url"], server["running"], server["pending"]) == (side.url, [first], [second])
    assert server["devices"]
    jobs = comfyclient("queue", "--json").json(QueueDocument)["jobs"]
    assert [(job["prompt_id"], job["status"]) for job in jobs] == [(first, "in_progress"), (second, "pending")]
    assert [line.split("\t")[:2] for line in comfyclient.inside("queue").lines] == [
        [first, "running"],
        [second, "waiting"],
    ]

    [job] = comfyclient("cancel", second[:8], "--json").json(CancelDocument)["jobs"]
    assert job == {"prompt_id": second, "cancelled": True}
    assert comfyclient.inside("cancel", "--running", "--yes").lines == [f"{first}\tcancelled"]
    assert "nothing runs or waits" in comfyclient.inside("queue").err
    assert "running\tnothing" in comfyclient.inside("status").lines


def test_cancelling_everything(program: Program, embedded_side: Side) -> None:
    program.environment["COMFYUI_URL"] = embedded_side.url
    assert "there is nothing to cancel" in program.inside("cancel", "--all").err
    gate = embedded_side.gate()
    ids = [embedded_side.submit(gate.workflow()) for _ in range(3)]
    gate.wait()
    assert "say --yes" in program.inside("cancel", "--pending", code=2).err
    assert "Name the jobs" in program.inside("cancel", code=2).err
    assert "Name the jobs" in program.inside("cancel", ids[0], "--all", code=2).err
    assert program.inside("cancel", "--pending", "-y").lines == [f"{prompt_id}\tcancelled" for prompt_id in ids[1:]]
    assert "Cancel 1 job on" in program.in_terminal("cancel", "--all", keys="n\n", code=130)
    assert embedded_side.get("/queue")["queue_running"]
    assert f"{ids[0]}\tcancelled" in program.in_terminal("cancel", "--all", keys="y\n").replace("    ", "\t")
    assert program.inside("cancel", ids[0]).lines == [f"{ids[0]}\tcancelled"]  # it is, whoever did it
    ended = embedded_side.submit(plain(fresh_color()))
    program.inside("watch", ended)
    assert program.inside("cancel", ended).lines == [f"{ended}\thad ended"]


def test_what_has_ended(comfyclient: Program, side: Side) -> None:
    good, bad = side.submit(plain(fresh_color())), side.submit(failing())
    comfyclient.inside("watch", bad, code=1)
    jobs = comfyclient("history", "-n", "2", "--json").json(HistoryDocument)["jobs"]
    assert [(job["prompt_id"], job["status"]) for job in jobs] == [(bad, "failed"), (good, "completed")]
    assert jobs[0]["error"] == "node 1 (TestRaise) raised ValueError: because"
    assert jobs[1]["finished_at"] >= jobs[1]["started_at"] >= jobs[1]["created_at"]
    [line] = comfyclient.inside("history", "-n", "1", "--status", "completed").lines
    assert line.split("\t")[:2] == [good, "completed"]


def test_what_the_server_is(comfyclient: Program, side: Side) -> None:
    info = comfyclient("info", "--json").json(InfoDocument)
    assert (info["url"], info["client_version"]) == (side.url, __version__)
    assert info["features"]["max_upload_size"] > 0
    assert f"ComfyUI\t{info['comfyui_version']}" in comfyclient.inside("info").lines


def test_memory_is_freed(comfyclient: Program) -> None:
    assert comfyclient("free", "--json").json(FreeDocument) == {"unload_models": True, "free_memory": True}
    assert comfyclient.inside("free", "--models", "--json").json(FreeDocument)["free_memory"] is False
    assert not comfyclient.inside("free", "--cache").out


# --- the log ------------------------------------------------------------------------------------------------


def test_the_log(comfyclient: Program, side: Side) -> None:
    side.submit(plain(fresh_color()))
    lines = comfyclient("logs").lines
    assert any("got prompt" in line for line in lines)
    found = comfyclient.inside("logs", "-n", "2", "--json").json_lines(LogLine)
    assert len(found) == 2
    following = comfyclient.start("logs", "-f", "-n", "1", "--json")
    following.wait_for("")
    side.submit(plain(fresh_color()))
    following.wait_for("got prompt", after=1)
    following.signal()
    done = following.end()
    assert done.code == 130
    assert done.json_lines(LogLine, ErrorDocument)[-1]["error"]["type"] == "Interrupted"


def test_lines_of_the_log() -> None:
    writes = ["one ", "line\n", "two\nthree\n", "\r 10%", "\r 20%\r", "\n", "no end"]
    entries = [LogEntry(str(number), text) for number, text in enumerate(writes)]
    expected = [("0", "one line"), ("2", "two"), ("2", "three"), ("3", " 20%")]
    assert [(line.time, line.text) for line in _lines(entries)] == expected
    assert [line.text for line in _lines(entries, ends=True)][-1] == "no end"


# --- watching -----------------------------------------------------------------------------------------------


def test_watching_the_server(comfyclient: Program, side: Side) -> None:
    watching = comfyclient.start("watch", "--json", "--interval", "0.5")
    watching.wait_for('"running": []')
    gate = side.gate()
    prompt_id = side.submit(gate.workflow())
    line = watching.wait_for(f'"running": ["{prompt_id}"]')
    assert '"pending": []' in line
    watching.wait_for('"node_id": "1"')  # nobody's job, so that everybody is told
    gate.open()
    watching.signal()
    done = watching.end()
    assert done.code == 130
    assert done.json_lines(WatchedServer, ErrorDocument)[0]["url"] == side.url


def test_the_server_is_looked_at_once_it_can_be_heard(embedded_side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, looked, run = [], threading.Event(), Connection._run

    def look_at(client: Client) -> ServerDocument:
        looked.set()
        return look(client)

    def run_late(connection: Connection) -> None:
        looks.append(looked.wait(0.5))
        run(connection)

    monkeypatch.setattr("comfyclient.cli.commands.watch.look", look_at)
    monkeypatch.setattr(Connection, "_run", run_late)
    app = App()
    app.server = embedded_side.url
    with contextlib.closing(app), contextlib.closing(_states(app, 1.0)) as states:  # type: ignore[type-var]
        assert next(states).running == ()
    assert looks == [False]


def test_watching_in_a_pipe(program: Program, embedded_side: Side) -> None:
    watching = program.start("watch", "--url", embedded_side.url)
    assert re.fullmatch(r"\d\d:\d\d:\d\d\tidle\twaiting 0\n", watching.wait_for("idle"))
    watching.signal()
    assert watching.end().err == "interrupted\n"


# --- terminals ----------------------------------------------------------------------------------------------


def test_a_terminal_shows_colors_and_progress(program: Program, embedded_side: Side) -> None:
    program.environment["COMFYUI_URL"] = embedded_side.url
    (program.directory / "x.json").write_text(json.dumps(plain(fresh_color())), encoding="utf-8")
    shown = program.in_terminal("run", "x.json", "-o", "fox.png")
    assert "━━━" in shown
    assert "100%" in shown
    assert "\x1b[?25h" in shown  # the cursor is back
    assert "fox.png" in shown
    prompt_id = re.findall(r"job (\S+)", shown)[0]
    listed = program.in_terminal("history", "-n", "1")
    assert prompt_id[:8] in listed
    assert prompt_id not in listed
    assert "\x1b[1m" in listed
    assert "done in" in program.in_terminal("watch", prompt_id)
    program.environment["NO_COLOR"] = "1"
    assert "\x1b[3" not in program.in_terminal("outputs", "zzz", code=1)


def test_the_live_view(program: Program, embedded_side: Side) -> None:
    gate = embedded_side.gate()
    ids = [embedded_side.submit(gate.workflow()) for _ in range(13)]
    gate.wait()
    shown = program.in_terminal("watch", "--url", embedded_side.url, until=b"and 2 more", code=130)
    assert ids[0][:8] in shown
    assert "GB free" in shown
    embedded_side.ask("POST", "/queue", json={"clear": True})
    gate.open()


def test_a_terminal_that_draws_nothing_anew(program: Program, embedded_side: Side) -> None:
    program.environment["COMFYUI_URL"] = embedded_side.url
    (program.directory / "x.json").write_text(json.dumps(plain(fresh_color())), encoding="utf-8")
    watched = program.in_terminal("watch", until=b"idle", code=130, term="dumb")
    assert "idle\twaiting 0" in watched
    assert "\x1b" not in watched
    job, done, _ = program.in_terminal("run", "x.json", term="dumb").splitlines()
    assert done.startswith("done in")
    assert "100%\tdone" in program.in_terminal("watch", job.split()[1], term="dumb")


def test_a_narrow_terminal(program: Program, embedded_side: Side) -> None:
    program.environment |= {"COMFYUI_URL": embedded_side.url, "COLUMNS": "40"}
    helped = program.in_terminal("run", "--help").replace("\r", "")
    assert all(len(line) <= 38 for line in helped.partition("Examples:")[0].splitlines())
    assert "…" not in program.in_terminal("info")
    gate = embedded_side.gate()
    embedded_side.submit(gate.workflow())
    gate.wait()
    (program.directory / "x.json").write_text(json.dumps(plain(fresh_color())), encoding="utf-8")
    listed = program.in_terminal("queue").splitlines()
    assert re.fullmatch(r"[0-9a-f]{8}  running  [\d-]{10} [\d:]{8} *", listed[1])
    for arguments, until in ((("run", "x.json"), b"waiting"), (("watch",), b"running")):
        shown = program.in_terminal(*arguments, until=until, code=130)
        drawn = [line for line in re.split(r"[\r\n]+", re.sub(r"\x1b\[[?\d;]*\w", "", shown)) if "━" in line]
        assert drawn
        assert all(len(line.rstrip()) <= 38 for line in drawn)  # ^C fits behind it, and is cleared with it
    gate.open()


# --- who one is ---------------------------------------------------------------------------------------------


def test_what_a_server_is_told_of_one(program: Program) -> None:
    with FlakyServer(json_reply({})) as server:

        def told(*options: str, **environment: str) -> dict[str, str]:
            program.inside("free", *options, env=environment)
            return server.requests[-1].headers

        assert told("--url", server.url, "--token", "abc")["authorization"] == "Bearer abc"
        here, elsewhere = ({"COMFYUI_URL": url, "COMFYUI_TOKEN": "abc"} for url in (server.url, "http://elsewhere"))
        assert told(**here)["authorization"] == "Bearer abc"
        assert "authorization" not in told("--url", server.url, **elsewhere)
        program.configure(f'[servers.a]\nurl = "{server.url}"\nauth = ["me", "x"]\nheaders = {{ X-Key = "y" }}')
        headers = told("--url", "a")
        assert headers["authorization"].startswith("Basic ")
        assert headers["x-key"] == "y"
        assert told("--url", "a", "--token", "abc")["authorization"] == "Bearer abc"


def test_jobs_are_completed(program: Program, embedded_side: Side) -> None:
    program.environment["COMFYUI_URL"] = embedded_side.url
    prompt_id = embedded_side.submit(plain(fresh_color()))
    assert complete(program, f"comfyclient outputs {prompt_id[:9]}") == [prompt_id]
    program.environment["COMFYUI_URL"] = f"http://127.0.0.1:{os.getpid() % 9 + 1}"
    assert complete(program, f"comfyclient outputs {prompt_id[:9]}") == []
