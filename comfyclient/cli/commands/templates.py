"""``comfyclient templates``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from attrs import frozen

from comfyclient.cli.command import command
from comfyclient.cli.completing import completed_by
from comfyclient.cli.exchange import MadeDocument, deliver, made_options
from comfyclient.errors import NotFound, Unsupported
from comfyclient.workflow.check import is_editor_format

if TYPE_CHECKING:
    from collections.abc import Iterator

    from comfyclient.cli.app import App
    from comfyclient.client import Client

__all__ = ["Template", "TemplatesDocument", "templates"]


@frozen(kw_only=True)
class Template:
    """A ready-made workflow that the server offers.

    Attributes:
        name: What ``--get`` takes.
        pack: The pack of custom nodes that it is from, for ``--pack``; null for an official one.
        title: Its title.
        description: What it does; empty if nobody says so.
        category: Where the editor's gallery has it; for those of packs the pack.
        tags: What it is about.
        models: The models that it uses, by their names for people.
        paid: Whether it needs paid services; null if nobody says so.
    """

    name: str
    pack: str | None
    title: str
    description: str
    category: str
    tags: tuple[str, ...]
    models: tuple[str, ...]
    paid: bool | None


@frozen
class TemplatesDocument:
    """Ready-made workflows.

    Attributes:
        templates: In the order of the editor's gallery, then those of custom nodes.
    """

    templates: tuple[Template, ...]


@command(
    TemplatesDocument,
    MadeDocument,
    examples="""
$ comfyclient templates text to image
$ comfyclient templates --get image_flux2 -o flux2.json
""",
)
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option(
    "--get",
    "name",
    metavar="NAME",
    shell_complete=completed_by(lambda client: {each.name: each.title for each in _known(client)}),
    help="Fetch one, in the editor's format as a rule.",
)
@click.option("--pack", metavar="PACK", help="The pack of custom nodes that it is from; only its templates.")
@made_options
def templates(
    app: App, words: tuple[str, ...], *, name: str | None, pack: str | None, output: str | None, overwrite: bool
) -> None:
    """List the workflows that the server offers, search them, or fetch one.

    With WORDs, only those in which all of them occur, in name, title, description, category, tags or models. Case does
    not matter.
    """
    if name is None:
        if output is not None or overwrite:
            raise click.UsageError("-o and --overwrite go with --get.")
        _list(app, [word.casefold() for word in words], pack)
        return
    if words:
        raise click.UsageError("--get takes one name, and no WORD.")
    made = app.client.templates.get(name, pack)
    deliver(app, made, "editor" if is_editor_format(made) else "api", output, overwrite=overwrite)


def _list(app: App, words: list[str], pack: str | None) -> None:
    known = [each for each in _known(app.client) if pack in {None, each.pack}]
    found = [each for each in known if all(word in _text(each) for word in words)]
    if app.out.json:
        app.out.result(TemplatesDocument(tuple(found)))
        return
    app.out.table(["name", "title", "category"], [(each.name, each.title, each.category) for each in found])
    if not found:
        app.out.note("there is no such template" if known else "the server has no templates")


def _known(client: Client) -> Iterator[Template]:
    yield from _official(client)
    yield from _of_packs(client)


def _official(client: Client) -> Iterator[Template]:
    try:
        categories = client.templates.index()
    except NotFound:  # it was installed without them
        return
    for category in categories:
        for each in category.templates:
            yield Template(
                name=each.name,
                pack=None,
                title=each.title or each.name,
                description=each.description or "",
                category=category.title,
                tags=each.tags,
                models=each.models,
                paid=None if each.openSource is None else not each.openSource,
            )


def _of_packs(client: Client) -> Iterator[Template]:
    try:
        packs = client.templates.list()
    except Unsupported:
        return
    for pack, names in packs.items():
        for name in names:
            yield Template(
                name=name, pack=pack, title=name, description="", category=pack, tags=(), models=(), paid=None
            )


def _text(template: Template) -> str:
    parts = (template.name, template.title, template.description, template.category, *template.tags, *template.models)
    return "\n".join(parts).casefold()
