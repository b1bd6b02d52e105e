"""``comfyclient stubs``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfyclient.cli.command import command
from comfyclient.cli.exchange import MadeDocument, catalog_option, deliver, made_options

if TYPE_CHECKING:
    from comfyclient.cli.app import App
    from comfyclient.cli.exchange import Catalogue

__all__ = ["stubs"]


@command(MadeDocument, examples="$ comfyclient stubs -o comfy_nodes.pyi --overwrite")
@catalog_option
@made_options
def stubs(app: App, *, catalog: Catalogue, output: str | None, overwrite: bool) -> None:
    """Write what editors and type checkers need to know the server's nodes.

    That is a stub file (.pyi) with every node class as a typed method of a class 'Nodes', for graphs that are written
    in Python: editors complete from it, and type checkers find what does not fit.
    """
    from comfyclient.builder import stubs as written  # noqa: PLC0415 - only this command needs it

    deliver(app, written(catalog.get()), "stubs", output, overwrite=overwrite)
