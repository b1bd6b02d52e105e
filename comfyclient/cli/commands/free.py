"""``comfyclient free``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from attrs import frozen

from comfyclient.cli.command import command

if TYPE_CHECKING:
    from comfyclient.cli.app import App


@frozen(kw_only=True)
class FreeDocument:
    """What the server was asked to free.

    Attributes:
        unload_models: Whether it unloads the models.
        free_memory: Whether it forgets the outputs of nodes.
    """

    unload_models: bool
    free_memory: bool


@command(
    FreeDocument,
    examples="""
$ comfyclient free               # models and cached outputs
$ comfyclient free --models      # models alone
""",
)
@click.option("--models", is_flag=True, help="Only unload the models.")
@click.option("--cache", is_flag=True, help="Only forget the outputs of nodes, which then run again.")
def free(app: App, *, models: bool, cache: bool) -> None:
    """Have the server free its memory.

    It unloads the models and forgets the outputs of nodes, as soon as nothing runs; the command does not wait for that.
    """
    both = models == cache
    app.client.system.free(unload_models=models or both, free_memory=cache or both)
    app.out.note("the server frees its memory as soon as nothing runs")
    app.out.result(FreeDocument(unload_models=models or both, free_memory=cache or both))
