"""``comfyclient serve``."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import click
from attrs import frozen

from comfyclient.cli.command import command
from comfyclient.testing.versions import NAMES

if TYPE_CHECKING:
    from comfyclient.cli.app import App

__all__ = ["ServingDocument", "serve"]


@frozen(kw_only=True)
class ServingDocument:
    """A server that answers from now on.

    Attributes:
        url: Its address.
        emulates: The version of ComfyUI that it behaves like.
    """

    url: str
    emulates: str


@command(
    ServingDocument,
    examples="""
$ comfyclient serve --port 8188 --latency 0.5
""",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    default=8188,
    show_default=True,
    help="Where to listen; 0 means any free port.",
)
@click.option(
    "--emulate",
    type=click.Choice(NAMES),
    default=NAMES[-1],
    show_default=True,
    help="Which version of ComfyUI to behave like.",
)
@click.option(
    "--latency", type=click.FloatRange(0), default=0.0, metavar="SECONDS", help="What each node takes, beside its work."
)
def serve(app: App, *, port: int, emulate: str, latency: float) -> None:
    """Run the embedded server, without models and GPU, until Ctrl-C.

    It speaks ComfyUI's protocol and runs workflows for real, but its models are small fakes: for trying things out, and
    for tests. It needs the extra 'testing', and listens on 127.0.0.1 alone.
    """
    from comfyclient.testing import EmbeddedServer  # noqa: PLC0415 - it needs more packages than the command line

    server = EmbeddedServer(port=port, emulate=emulate, latency=latency)
    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as running:  # which SIGTERM raises, too
        try:
            running.enter_context(server)
        except OSError as error:
            raise click.ClickException(f"The embedded server cannot listen on port {port}: {error.strerror}") from None
        app.out.result(ServingDocument(url=server.url, emulates=emulate), server.url)
        app.out.note(f"An embedded ComfyUI {emulate} answers here; Ctrl-C ends it.")
        threading.Event().wait()
