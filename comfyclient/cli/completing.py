"""Words that shells complete by asking the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from comfyclient.cli.app import App
from comfyclient.errors import ComfyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from comfyclient.client import Client

__all__ = ["completed_by"]

_IMPATIENCE = 2.0
"""Seconds that the server has to complete a word."""


def completed_by(
    ask: Callable[[Client], Mapping[str, str | None]],
) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """What click asks for the words that begin so; without a server there are none.

    Args:
        ask: Asks the server for the words, each with something about it, which some shells show.
    """

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        try:
            client = ctx.ensure_object(App).connect(
                connect_timeout=_IMPATIENCE, read_timeout=_IMPATIENCE, retry=None, realtime=False
            )
            words = ask(client)
        except (ComfyError, click.UsageError):
            return []
        return [CompletionItem(word, help=about) for word, about in words.items() if word.startswith(incomplete)]

    return complete
