"""``comfyclient nodes``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from comfyclient.cli.command import command
from comfyclient.cli.completing import completed_by
from comfyclient.cli.exchange import catalog_option
from comfyclient.cli.node_page import NodeDocument, page
from comfyclient.resources._ranking import search
from comfyclient.workflow.catalog import definitions
from comfyclient.workflow.classes import Classes
from comfyclient.workflow.wording import nearest_hint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from comfyclient.cli.app import App
    from comfyclient.cli.exchange import Catalogue

__all__ = ["NodeSummary", "NodesDocument", "nodes"]


@frozen(kw_only=True)
class NodeSummary:
    """A class of nodes, in short.

    Attributes:
        name: The class, as workflows name it.
        title: What the editor calls it.
        category: Where the editor's menu has it.
        deprecated: Whether the server advises against it.
        experimental: Whether it may still change.
        paid: Whether it calls a paid service.
    """

    name: str
    title: str
    category: str
    deprecated: bool
    experimental: bool
    paid: bool


@frozen
class NodesDocument:
    """Classes of nodes.

    Attributes:
        nodes: The best match first; all of them in the server's order, if nothing was looked for.
    """

    nodes: tuple[NodeSummary, ...]


@command(
    NodesDocument,
    NodeDocument,
    examples="""
$ comfyclient nodes upscale model
$ comfyclient nodes --show KSampler
""",
)
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option(
    "--show",
    metavar="CLASS",
    shell_complete=completed_by(lambda client: dict.fromkeys(client.nodes.names())),
    help="Show one class: its inputs with defaults and choices, and its outputs.",
)
@click.option("--all", "everything", is_flag=True, help="With --show, all choices of long lists.")
@catalog_option
def nodes(app: App, words: tuple[str, ...], *, show: str | None, everything: bool, catalog: Catalogue) -> None:
    """List the server's node classes, search them, or show one.

    With WORDs, only the classes in which all of them occur, in name, title, category, description or another name; the
    best first. Case does not matter.
    """
    if show is not None:
        if words:
            raise click.UsageError("--show takes one class, and no WORD.")
        classes = Classes(catalog.get())
        if show not in classes:
            raise click.ClickException(f"There is no node class {show!r}{nearest_hint(show, classes)}.")
        node = NodeDocument.of(classes[show])
        text = page(node, width=app.out.console.width, everything=everything)
        app.out.result(node, text if app.out.is_terminal else text.plain)
        return
    if everything:
        raise click.UsageError("--all goes with --show.")
    known = definitions(catalog.get())
    found = [_summary(name, known[name]) for name in (search(" ".join(words), known) if words else known)]
    if app.out.json:
        app.out.result(NodesDocument(tuple(found)))
        return
    app.out.table(["class", "title", "category"], [[each.name, each.title, each.category] for each in found])
    if not found:
        app.out.note("no class has all of these words")


def _summary(name: str, entry: Any) -> NodeSummary:
    """From the server's own description, of which nothing is certain."""
    info: Mapping[str, Any] = entry if isinstance(entry, dict) else {}
    return NodeSummary(
        name=name,
        title=str(info.get("display_name") or name),
        category=str(info.get("category") or ""),
        deprecated=bool(info.get("deprecated")),
        experimental=bool(info.get("experimental")),
        paid=bool(info.get("api_node")),
    )
