"""What the commands have in common: options, the order of their help, and what they print with ``--json``."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from comfyclient.cli.app import App

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Concatenate, ParamSpec

    P = ParamSpec("P")

__all__ = ["Command", "Context", "command", "common_options"]


class _Help(click.HelpFormatter):
    """Help that fits into narrow terminals, too; click's own is never narrower than 50 columns."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.width = min(self.width, max(20, shutil.get_terminal_size().columns - 2))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """A list of two columns, the first of which leaves enough to the second."""
        super().write_dl(rows, min(col_max, self.width * 2 // 5), col_spacing)


class Context(click.Context):
    """What click keeps while a command runs, and how it writes help."""

    formatter_class = _Help


class Command(click.Command):
    """A command with the options that all have.

    Attributes:
        documents: What it prints with ``--json``: one of these.
        is_stream: Whether it prints several of them, one in each line.
        examples: Command lines with ``$`` in front of them, and what they do.
    """

    context_class = Context

    def __init__(
        self, *args: Any, documents: tuple[type, ...] = (), is_stream: bool = False, examples: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.documents = documents
        self.is_stream = is_stream
        self.examples = examples.strip("\n")
        self.own_params = list(self.params)
        self.params += common_options()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Know how errors are printed before there are any."""
        ctx.ensure_object(App).out.is_stream = self.is_stream
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Its own options first."""
        own = [row for param in self.own_params if (row := param.get_help_record(ctx)) is not None and row[1]]
        if own:
            with formatter.section("Options"):
                formatter.write_dl(own)
        shared = [
            row
            for param in self.get_params(ctx)
            if param not in self.own_params and (row := param.get_help_record(ctx))
        ]
        with formatter.section("Options of all commands"):
            formatter.write_dl(shared)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """The examples, as they are written."""
        if self.examples:
            with formatter.section("Examples"):
                indent = " " * formatter.current_indent
                formatter.write("".join(f"{indent}{line}\n" if line else "\n" for line in self.examples.splitlines()))


def command(
    *documents: type, stream: bool = False, examples: str = "", name: str | None = None
) -> Callable[[Callable[Concatenate[App, P], None]], Command]:
    """Make a command of a function that is given the ``App``, and then what click makes of the command line.

    Its docstring is the help: the first sentence, which ``comfyclient --help`` shows, and then the rest.

    Args:
        *documents: What it prints with ``--json``: one of these.
        stream: Whether it prints many of them, one in each line.
        examples: Command lines with ``$`` in front of them.
        name: What it is called, if not as the function is.
    """

    def decorate(function: Callable[Concatenate[App, P], None]) -> Command:
        make = click.command(name, cls=Command, documents=documents, is_stream=stream, examples=examples)
        return make(click.pass_obj(function))

    return decorate


def common_options() -> list[click.Parameter]:
    """The options that may stand before the command and after it."""

    def remember(attribute: str) -> Callable[[click.Context, click.Parameter, Any], None]:
        def callback(ctx: click.Context, _: click.Parameter, value: Any) -> None:
            if value:  # what is not given here may have been given before the command
                *path, last = attribute.split(".")
                target: Any = ctx.ensure_object(App)
                for part in path:
                    target = getattr(target, part)
                setattr(target, last, value)

        return callback

    def option(*names: str, attribute: str, text: str, **more: Any) -> click.Option:
        return click.Option(names, expose_value=False, is_eager=True, callback=remember(attribute), help=text, **more)

    def flag(*names: str, attribute: str, text: str) -> click.Option:
        return option(*names, attribute=attribute, text=text, is_flag=True)

    return [
        option(
            "--url",
            attribute="server",
            metavar="NAME|URL",
            shell_complete=_complete_server,
            text="The server: its address, or its name in the configuration file. [env: COMFYUI_URL]",
        ),
        option(
            "--token",
            attribute="token",
            metavar="TOKEN",
            text="The bearer token that the server wants. Others can see it here; the configuration file and the "
            "environment keep it to you. [env: COMFYUI_TOKEN]",
        ),
        flag("--json", attribute="out.json", text="Print the result as JSON, and errors too."),
        flag("-q", "--quiet", attribute="out.quiet", text="No messages but warnings and errors, and no progress."),
        flag("--debug", attribute="debug", text="Show comfyclient's log, and where an error arose."),
    ]


def _complete_server(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    try:
        configuration = ctx.ensure_object(App).configuration
    except click.UsageError:
        return []
    servers = configuration.servers
    return [CompletionItem(name, help=servers[name]["url"]) for name in servers if name.startswith(incomplete)]
