"""What holds for every command: help, the server that is meant, exit codes, errors, where things are printed."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from comfyclient import __version__
from comfyclient.cli.commands.queue import QueueDocument
from comfyclient.cli.commands.servers import ServersDocument
from comfyclient.cli.documents import dumps
from comfyclient.cli.output import harmless
from comfyclient.cli.program import COMMANDS
from tests.cli import page
from tests.cli.page import commands
from tests.fakes import nobody
from tests.workflows import fresh_color, plain

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Program
    from tests.contract.sides import Side

WITHOUT = """
import sys
sys.modules["rich"] = None
from comfyclient.cli import main
main()
"""


# --- help -----------------------------------------------------------------------------------------------------


def test_the_list_of_commands_says_what_each_says_of_itself() -> None:
    said = {name: (command.help or "").strip().split("\n\n")[0] for name, command in commands().items()}
    assert {name: " ".join(text.split()) for name, text in said.items()} == COMMANDS


def test_every_command_says_what_it_prints_as_json_and_gives_an_example() -> None:
    for name, command in commands().items():
        assert command.documents, name
        assert f"$ comfyclient {name}" in command.examples, name


def test_help_is_quick() -> None:
    code = "import sys\nfrom comfyclient.cli.program import run\nrun(['--help'])\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "comfyclient.cli.program" in loaded
    slow = {"requests", "rich", "websocket", "cattrs", "platformdirs", "comfyclient.client", "comfyclient.types"}
    assert loaded & slow == set()


def test_no_arguments_are_a_call_for_help(program: Program) -> None:
    assert program.inside().out == program.inside("--help").out == program.inside("-h").out
    assert "Exit codes:" in program.inside().out


def test_the_version(program: Program) -> None:
    assert program.inside("--version").out == f"comfyclient {__version__}\n"


def test_without_the_extra() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr == "The command line needs rich: pip install 'comfyclient[cli]'\n"


# --- which server -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [True, False], ids=["before the command", "after the command"])
def test_options_stand_before_the_command_or_after_it(program: Program, embedded_side: Side, *, before: bool) -> None:
    options = ["--json", "--url", embedded_side.url]
    done = program.inside(*options, "queue") if before else program.inside("queue", *options)
    assert done.json(QueueDocument) == {"jobs": []}


def test_where_the_server_comes_from(program: Program) -> None:
    program.configure(
        'default = "studio"\n[servers.studio]\nurl = "http://studio:1/x"\n[servers.attic]\nurl = "http://a:b@attic:2"'
    )

    def url(*options: str, **environment: str) -> str:
        return str(program.inside("servers", "--json", *options, env=environment).json(ServersDocument)["url"])

    assert url() == "http://studio:1/x"
    assert url("--url", "attic") == "http://attic:2"
    assert url("--url", "cellar:3") == "http://cellar:3"
    assert url(COMFYUI_URL="http://environment:4") == "http://environment:4"
    assert url("--url", "studio", COMFYUI_URL="http://environment:4") == "http://studio:1/x"
    program.configuration.unlink()
    assert url() == "http://127.0.0.1:8188"


def test_the_servers_of_the_file(program: Program) -> None:
    program.configure(
        'default = "a"\n[servers.a]\nurl = "http://me:secret@a:1"\ntoken = "hush"\n[servers.b]\nurl = "http://b"'
    )
    done = program.inside("servers")
    assert done.lines == ["a\thttp://a:1\tdefault\ttoken", "b\thttp://b\t\t"]
    assert str(program.configuration) in done.err
    assert "secret" not in done.out + done.err
    assert program.inside("servers", "--json", "--url", "b").json(ServersDocument) == {
        "path": str(program.configuration),
        "exists": True,
        "servers": [
            {"name": "a", "url": "http://a:1", "default": True, "options": ["token"]},
            {"name": "b", "url": "http://b", "default": False, "options": []},
        ],
        "url": "http://b",
    }


def test_the_default_place_of_the_file(program: Program, tmp_path: Path) -> None:
    del program.environment["COMFYCLIENT_CONFIG"]
    path = json.loads(program("servers", "--json").out)["path"]
    assert path.startswith(str(tmp_path))
    assert path.endswith("config.toml")


def test_a_secret_that_others_can_read(program: Program) -> None:
    program.configure('[servers.a]\nurl = "http://a:1"\ntoken = "hush"')
    assert "Warning" not in program.inside("servers").err
    program.configuration.chmod(0o644)
    assert "Warning: " in program.inside("servers", "--quiet").err
    program.configure('[servers.a]\nurl = "http://a:1"')
    assert "Warning" not in program.inside("servers").err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("default = ", "is no TOML"),
        ('default = "x"', "the default 'x' is none of its servers"),
        ("[server.x]", "'server' means nothing here"),
        ("servers = 1", "a server is a table such as [servers.studio]"),
        ("[servers.x]", "the server 'x' has no url"),
        ('[servers.x]\nurl = "x"\ntoekn = "x"', "the server 'x' has an option 'toekn'; there are api_key_comfy_org"),
        ('default = "x"\n[servers.x]\nurl = "ftp://x"', "'ftp://x' is no URL"),
        ("[servers.x]\nurl = 5", "the server 'x' has no url"),
        (
            'default = "x"\n[servers.x]\nurl = "x"\nread_timeout = "long"',
            "config.toml, server 'x': read_timeout is a time in seconds",
        ),
    ],
)
def test_a_wrong_file(program: Program, text: str, said: str) -> None:
    program.configure(text)
    error = program.inside("queue", "--json", code=2).error()
    assert said in error["message"]
    assert error["type"] == "Usage"


def test_a_token(program: Program, embedded_side: Side) -> None:
    assert "contradict" in program.inside("queue", "--url", "http://a:b@c", "--token", "x", code=2).err
    assert "token must be" in program.inside("queue", "--token", "x y", "--url", embedded_side.url, code=2).err


def test_a_name_that_is_none(program: Program) -> None:
    program.configure('[servers.studio]\nurl = "http://a:1"')
    assert "'studoi' is none of the servers in" in program.inside("queue", "--url", "studoi", code=4).err
    with nobody() as nowhere:
        program.configure(f'[servers.studio]\nurl = "{nowhere}"')
        assert "is none of" not in program.inside("queue", "--url", "studio", code=4).err


# --- errors -------------------------------------------------------------------------------------------------


def test_nobody_answers(program: Program) -> None:
    with nobody() as nowhere:
        done = program.inside("queue", "--url", nowhere, code=4)
        assert done.err.startswith(f"no ComfyUI server answers at {nowhere}")
        assert not done.out
        assert program.inside("queue", "--json", "--url", nowhere, code=4).error()["type"] == "ServerUnreachable"


def test_that_nobody_answers_is_all_that_is_said(program: Program) -> None:
    workflow = program.directory / "workflow.json"
    workflow.write_text(json.dumps(plain(fresh_color())))
    with nobody() as nowhere:
        done = program.inside("run", workflow, "--url", nowhere, code=4)
    assert done.err.startswith(f"no ComfyUI server answers at {nowhere}")
    assert len(done.err.splitlines()) == 1


def test_a_wrong_command_line(program: Program) -> None:
    done = program("quee", code=2)
    assert done.err == "There is no command 'quee'. Did you mean 'queue'?\nSee comfyclient --help.\n"
    assert program("queue", "--jsno", "--json", code=2).error()["type"] == "Usage"
    assert "See comfyclient queue --help." in program("queue", "more", code=2).err


def test_debug_shows_where_it_arose_and_the_log(program: Program, embedded_side: Side) -> None:
    said = program.inside(
        "watch", "--debug", "--url", embedded_side.url, "00000000-0000-4000-8000-000000000000", code=1
    )
    assert "Traceback" in said.err
    (program.directory / "x.json").write_text(json.dumps(plain(fresh_color())), encoding="utf-8")
    run = ("run", "x.json", "--url", embedded_side.url)
    assert "comfyclient." in program.inside(*run, "--debug").err
    assert "comfyclient." not in program.inside(*run).err
    with nobody() as nowhere:
        assert "Traceback" in program.inside("queue", "--debug", "--url", nowhere, code=4).err


# --- what is printed ----------------------------------------------------------------------------------------


def test_a_reader_that_goes_is_no_error(program: Program) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run(
            program.command("completion", "bash"),
            stdout=pipe,
            stderr=subprocess.PIPE,
            env=program.environment,
            cwd=program.directory,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_is_no_error(program: Program, closed: str) -> None:
    (program.directory / "x.json").write_text(json.dumps(plain(fresh_color())), encoding="utf-8")
    for words, code in (("show x.json", 0), ("show nothing.json", 2), ("show - < /dev/null", 3)):
        line = f"{shlex.join(program.command())} {words} {closed}"
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=program.directory,
            env=program.environment,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done
        assert b"fault" not in done.stderr


def test_nobody_has_to_read_the_messages(program: Program, embedded_side: Side) -> None:
    (program.directory / "x.json").write_text(json.dumps(plain(fresh_color())), encoding="utf-8")
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run(
            program.command("run", "x.json", "--url", embedded_side.url, "-o", "fox.png"),
            stdout=subprocess.PIPE,
            stderr=pipe,
            env=program.environment,
            cwd=program.directory,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stdout) == (0, b"fox.png\n")


def test_text_of_a_server_does_nothing_to_a_terminal() -> None:
    assert harmless("a\x1b[31mred\x1b[0m \x1b]0;title\x07 \x07 \x9b31m \u202e\ttab\nline") == (
        "ared  \\x07 \\x9b31m \\u202e\ttab\nline"
    )


def test_json_is_what_every_parser_reads() -> None:
    text = dumps({"a": float("nan"), "b": [float("inf"), 1.5], "c": "\udcff ü", 1: None})
    assert text == '{"a": null, "b": [null, 1.5], "c": "\\udcff \\u00fc", "1": null}'


# --- completion ---------------------------------------------------------------------------------------------


def complete(program: Program, line: str) -> list[str]:
    """What bash would offer at the end of a line."""
    words = line.split(" ")
    environment = {"_COMFYCLIENT_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    return [item.partition(",")[2] for item in program.inside(env=environment).lines if item]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell(program: Program, shell: str) -> None:
    script = program("completion", shell).out
    assert "_COMFYCLIENT_COMPLETE" in script
    if shell == "bash":
        subprocess.run(["/bin/bash", "-n"], input=script.encode(), check=True)


def test_what_is_completed(program: Program) -> None:
    program.configure('[servers.studio]\nurl = "http://a:1"\n[servers.attic]\nurl = "http://b:1"')
    assert complete(program, "comfyclient que") == ["queue"]
    assert complete(program, "comfyclient --url st") == ["studio"]
    assert complete(program, "comfyclient queue --url ") == ["studio", "attic"]
    assert "--token" in complete(program, "comfyclient queue --to")
    program.configure("wrong")
    assert complete(program, "comfyclient --url st") == []


# --- the reference ------------------------------------------------------------------------------------------


def test_the_reference_is_what_the_program_says() -> None:
    assert page.PAGE.read_text(encoding="utf-8").endswith(page.text()), "run python -m tests.cli page"
