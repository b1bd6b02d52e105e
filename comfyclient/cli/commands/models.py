"""``comfyclient models``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click
from attrs import frozen

from comfyclient.cli.command import command
from comfyclient.cli.completing import completed_by
from comfyclient.cli.exchange import FILE, catalog_option
from comfyclient.cli.failures import ExitCode
from comfyclient.errors import Unsupported, node_label
from comfyclient.types.models import ModelFile
from comfyclient.workflow.wording import listed, shown

if TYPE_CHECKING:
    from comfyclient.cli.app import App
    from comfyclient.cli.exchange import Catalogue
    from comfyclient.workflow.needs import NeededModel

__all__ = ["FoldersDocument", "Model", "ModelsDocument", "NeededDocument", "NeededFile", "models"]


@frozen
class FoldersDocument:
    """The folders of models.

    Attributes:
        folders: Their names, such as ``"checkpoints"``.
    """

    folders: tuple[str, ...]


@frozen(kw_only=True)
class Model:
    """A model file on the server.

    Attributes:
        name: Its name, as loaders take it.
        size: Its bytes; null if the server does not say.
        modified: When it was changed, in seconds since 1970; null if the server does not say.
    """

    name: str
    size: int | None
    modified: float | None


@frozen(kw_only=True)
class ModelsDocument:
    """The models in a folder.

    Attributes:
        folder: Its name.
        models: What is in it.
    """

    folder: str
    models: tuple[Model, ...]


@frozen(kw_only=True)
class NeededFile:
    """A model file that a workflow names.

    Attributes:
        name: The file, as the workflow names it.
        is_there: Whether the server has it; null where that cannot be told, as for embeddings in texts.
        node_id: The node that names it.
        class_type: The node's class.
        title: The node's title in the editor, or its class.
        input_name: The input.
        suggestions: What the server has instead and looks like it, best first.
        folder: The folder of models where it belongs; null where the editor's file does not say so.
        url: Where it is to be had; null where the editor's file does not say so.
    """

    name: str
    is_there: bool | None
    node_id: str
    class_type: str
    title: str
    input_name: str
    suggestions: tuple[str, ...]
    folder: str | None
    url: str | None

    @classmethod
    def of(cls, model: NeededModel) -> NeededFile:
        """From what the workflow says."""
        return cls(
            name=model.name,
            is_there=model.is_there,
            node_id=model.node_id,
            class_type=model.class_type,
            title=model.title,
            input_name=model.input,
            suggestions=model.nearest,
            folder=model.folder,
            url=model.url,
        )


@frozen(kw_only=True)
class NeededDocument:
    """The models that a workflow names.

    Attributes:
        is_complete: Whether the server has them all, as far as that can be told.
        models: Each of them, in the order of the nodes.
    """

    is_complete: bool
    models: tuple[NeededFile, ...]


@command(
    FoldersDocument,
    ModelsDocument,
    NeededDocument,
    examples="""
$ comfyclient models
$ comfyclient models loras
$ comfyclient models --for portrait.json
""",
)
@click.argument(
    "folder",
    required=False,
    shell_complete=completed_by(lambda client: dict.fromkeys(client.models.folders())),
)
@click.option(
    "--for", "file", type=FILE, metavar="FILE", help="The models that a workflow needs; exit code 3 if any is missing."
)
@catalog_option
def models(app: App, folder: str | None, *, file: str | None, catalog: Catalogue) -> None:
    """List the folders of models, the models in one, or those that a workflow needs.

    A workflow is what the editor saves or exports, or an image, a video or a sound that has one in it: a path, an
    address, or - for standard input.
    """
    if file is not None:
        if folder is not None:
            raise click.UsageError("--for looks into all folders: leave FOLDER out.")
        _needed(app, file, catalog)
    elif catalog.is_a_file:
        raise click.UsageError("--catalog goes with --for only.")
    elif folder is not None:
        found = [Model(name=each.name, size=each.size, modified=each.modified) for each in _files(app, folder)]
        if app.out.json:
            app.out.result(ModelsDocument(folder=folder, models=tuple(found)))
        else:
            app.out.table(["model", "size", "changed"], [(each.name, _size(each), _time(each)) for each in found])
    else:
        names = app.client.models.folders()
        app.out.result(FoldersDocument(tuple(names)), "\n".join(names))


def _needed(app: App, file: str, catalog: Catalogue) -> None:
    found = [NeededFile.of(each) for each in catalog.load(file).models(catalog.get())]
    missing = [each for each in found if each.is_there is False]
    if app.out.json:
        app.out.result(NeededDocument(is_complete=not missing, models=tuple(found)))
    else:
        words = {True: "there", False: "missing", None: "unknown"}
        rows = [(words[each.is_there], each.name, _place(each), _hint(each)) for each in found]
        app.out.table(["", "model", "node", ""], rows)
    if not found:
        app.out.note(f"{file} names no models")
    if missing:
        click.get_current_context().exit(ExitCode.REJECTED)


def _place(model: NeededFile) -> str:
    return f"{node_label(model.node_id, model.title, model.class_type)}: {model.input_name}"


def _hint(model: NeededFile) -> str:
    """What helps with one that the server does not have."""
    hints = [f"nearest: {listed(map(shown, model.suggestions))}"] if model.suggestions else []
    if model.url is not None and not model.is_there:
        hints.append(f"{model.folder or 'models'}: {model.url}")
    return "; ".join(hints)


def _files(app: App, folder: str) -> tuple[ModelFile, ...]:
    try:
        return app.client.models.details(folder)
    except Unsupported:  # then their names are all that the server tells
        return tuple(ModelFile(name, 0) for name in app.client.models.list(folder))


def _size(model: Model) -> str:
    size = float(model.size or 0)
    if model.size is None:
        return ""
    for unit in ("bytes", "KB", "MB"):
        if size < 1000:  # noqa: PLR2004 - the next unit
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"


def _time(model: Model) -> str:
    if model.modified is None:
        return ""
    return datetime.fromtimestamp(model.modified).astimezone().strftime("%Y-%m-%d %H:%M")
