"""The program: which commands there are, and what becomes of their errors."""

from __future__ import annotations

import difflib
import importlib
import io
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import shell_complete

from comfyclient import __version__
from comfyclient.cli.app import App
from comfyclient.cli.command import Command, Context, common_options
from comfyclient.cli.documents import ErrorDocument
from comfyclient.cli.failures import EXIT_CODES, ExitCode, Interruption, details_of
from comfyclient.cli.output import to_nowhere

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMMANDS", "COMPLETE", "NAME", "SECTIONS", "program", "run"]

NAME, COMPLETE = "comfyclient", "_COMFYCLIENT_COMPLETE"

SECTIONS: dict[str, dict[str, str]] = {
    "Running workflows": {
        "run": "Run a workflow and save what it makes.",
        "submit": "Put a workflow into the queue and print the job's id.",
        "watch": "Watch the server, or a job until it ends.",
        "outputs": "Show or download what a job made.",
        "cancel": "Take jobs from the queue, or stop them if they run.",
    },
    "Workflows": {
        "show": "Draw the graph of a workflow: as text, SVG or PNG.",
        "validate": "Find what the server would refuse, and what it would swallow without a word.",
        "convert": "Turn what the editor saves into an API export, or back.",
        "extract": "Take the workflow out of an image, a video or a sound, as it is there.",
        "to-python": "Write a workflow as a Python script that builds and runs it.",
    },
    "What the server has": {
        "nodes": "List the server's node classes, search them, or show one.",
        "models": "List the folders of models, the models in one, or those that a workflow needs.",
        "templates": "List the workflows that the server offers, search them, or fetch one.",
        "upload": "Upload files, and print the names to use in a workflow.",
        "stubs": "Write what editors and type checkers need to know the server's nodes.",
    },
    "The server": {
        "status": "Show how busy the server is, or how far a job is.",
        "queue": "Show what runs and what waits.",
        "history": "Show the jobs that have ended, the newest first.",
        "info": "Show the server's versions, devices and features.",
        "logs": "Show the server's log.",
        "free": "Have the server free its memory.",
        "request": "Send a request to any of the server's routes, and print the answer.",
    },
    "This program": {
        "servers": "Show the servers of the configuration file.",
        "serve": "Run the embedded server, without models and GPU, until Ctrl-C.",
        "completion": "Print the script that completes commands in your shell.",
    },
}
"""The commands with the first sentence of their help, so that ``--help`` need not import them.

``comfyclient.cli.commands`` has one module for each, called as the command is, with underscores.
"""
COMMANDS = {name: text for section in SECTIONS.values() for name, text in section.items()}


class Program(click.Group):
    """The group of all commands, each of which is imported when it is called."""

    context_class = Context

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Their names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> Command | None:  # noqa: ARG002 - click's signature
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command = getattr(importlib.import_module(f"comfyclient.cli.commands.{name}"), name)
        assert isinstance(command, Command)  # noqa: S101 - it is our own module
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one may be meant."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            near = difflib.get_close_matches(name, COMMANDS, n=1)
            ctx.fail(f"There is no command {name!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """The commands by section, without importing them."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """What the exit codes mean."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(int(code)), text) for code, text in EXIT_CODES.items()])


program = Program(
    NAME,
    params=[*common_options()],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="""Run workflows on a ComfyUI server, and look after the server.

    Results go to standard output, messages to standard error. 'comfyclient COMMAND --help' explains a command.

    The server is the one that --url says, else that of the environment variable COMFYUI_URL, else the default of the
    configuration file ('comfyclient servers' says where that is), else http://127.0.0.1:8188.
    """,
)
click.version_option(__version__, prog_name=NAME, message="%(prog)s %(version)s")(program)


def run(arguments: Sequence[str]) -> int:
    """Run the program; its exit code."""
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names on a server may be text that no encoding knows
    app = App()
    try:
        with app.signals():
            try:
                return _call(app, [*arguments] or ["--help"])
            except (BrokenPipeError, click.exceptions.Exit):
                raise
            except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - this is where every error ends
                return _report(app, error, arguments)
            finally:
                app.close()
    except click.exceptions.Exit as end:
        return end.exit_code
    except BrokenPipeError:
        to_nowhere(sys.stdout)
        return ExitCode.PIPE
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED  # a second one, while things were put in order


def _call(app: App, arguments: list[str]) -> int:
    # Not by program.main, which takes the errors that end here for its own.
    if instruction := os.environ.get(COMPLETE):
        return shell_complete(program, {"obj": app}, NAME, COMPLETE, instruction)
    with program.make_context(NAME, arguments, obj=app) as context:
        app.show_log()
        program.invoke(context)
    return ExitCode.DONE


def _report(app: App, error: BaseException, arguments: Sequence[str]) -> int:
    if isinstance(error, KeyboardInterrupt) and not isinstance(error, Interruption):
        error = Interruption.of(app.interrupted_by)
    details = details_of(error)
    if app.debug:
        app.out.error("".join(traceback.format_exception(error)).rstrip())
    app.out.error(details.message)
    if (hint := app.hint(error)) is not None:
        app.out.error(hint)
    app.out.json = app.out.json or "--json" in arguments  # which may stand behind what was wrong
    app.out.result(ErrorDocument(details))
    return details.exit_code


def _open_what_is_closed() -> None:
    """Whoever starts us may have closed a standard stream (``>&-``): then it is empty, or leads nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - it stays open
