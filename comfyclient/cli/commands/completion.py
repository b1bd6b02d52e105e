"""``comfyclient completion``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from attrs import frozen
from click.shell_completion import get_completion_class

from comfyclient.cli.command import command

if TYPE_CHECKING:
    from comfyclient.cli.app import App


@frozen(kw_only=True)
class CompletionDocument:
    """What ``comfyclient completion`` prints.

    Attributes:
        shell: The shell.
        script: The script that it has to read.
    """

    shell: str
    script: str


@command(
    CompletionDocument,
    examples="""
$ source <(comfyclient completion bash)                                         # in ~/.bashrc
$ source <(comfyclient completion zsh)                                          # in ~/.zshrc, after compinit
$ comfyclient completion fish > ~/.config/fish/completions/comfyclient.fish     # once
""",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(app: App, shell: str) -> None:
    """Print the script that completes commands in your shell.

    It completes commands, options, files, names of servers and, by asking the server, jobs, classes of nodes, templates
    and folders of models. Bash has to be 4.4 or newer.
    """
    from comfyclient.cli.program import COMPLETE, NAME, program  # noqa: PLC0415 - which imports the commands

    made = get_completion_class(shell)
    assert made is not None  # noqa: S101 - click knows these three
    script = made(program, {}, NAME, COMPLETE).source()
    app.out.result(CompletionDocument(shell=shell, script=script), script)
