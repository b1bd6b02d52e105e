"""Start a real ComfyUI by hand, or for the time of one command: ``python -m tests.comfyui --help``."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, NoReturn

from tests.comfyui.provision import ProvisionError, provision
from tests.comfyui.server import RealServer, ServerFailedError

if TYPE_CHECKING:
    from collections.abc import Sequence


def say(line: str) -> None:
    """Talk to the person, not to whoever reads the command's output."""
    print(line, file=sys.stderr, flush=True)


def serve(port: int | None, arguments: Sequence[str]) -> int:
    """Run a server until Ctrl-C."""
    installation = provision(say=say)
    say("Starting ComfyUI (about 10 s)")
    with RealServer(installation, *arguments, port=port) as server:
        print(server.url, flush=True)
        say(f"Its log is {server.log_path}; Ctrl-C ends it.")
        try:
            return server.process.wait() if server.process else 1
        except KeyboardInterrupt:
            return 0


def run(command: Sequence[str]) -> int:
    """Run a command with COMFYUI_URL set: to what it is set to already, else to a server for its time."""
    if os.environ.get("COMFYUI_URL"):
        return _wait(subprocess.Popen(command))
    installation = provision(say=say)
    say("Starting ComfyUI (about 10 s)")
    with RealServer(installation) as server:
        return _wait(subprocess.Popen(command, env={**os.environ, "COMFYUI_URL": server.url}))


def _wait(process: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            status = process.wait()
        except KeyboardInterrupt:
            continue  # the terminal sent it to the command too, and the command decides what it means
        return status if status >= 0 else 128 - status


def _terminated(*_: object) -> NoReturn:
    """SIGTERM unwinds the stack, so that the server and its directory go."""
    sys.exit(128 + signal.SIGTERM)


def main() -> int:
    """Parse the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m tests.comfyui", description=__doc__)
    commands = parser.add_subparsers(dest="action", required=True)
    serving = commands.add_parser("serve", help="run a server until Ctrl-C")
    serving.add_argument("--port", type=int, help="the port to listen on; a free one otherwise")
    serving.add_argument("arguments", nargs="*", metavar="-- OPTION", help="more options for ComfyUI")
    running = commands.add_parser("run", help="run a command with COMFYUI_URL set")
    running.add_argument("command", nargs="+", metavar="-- COMMAND", help="the command and its arguments")
    options = parser.parse_args()

    signal.signal(signal.SIGTERM, _terminated)
    try:
        return serve(options.port, options.arguments) if options.action == "serve" else run(options.command)
    except (ProvisionError, ServerFailedError, OSError) as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
