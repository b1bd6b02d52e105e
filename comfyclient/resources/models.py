"""``client.models``: the model files that the server has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfyclient._addresses import redact
from comfyclient._http import path_segment
from comfyclient.errors import ComfyError, DecodeError, NotFound, Unsupported
from comfyclient.resources._answers import get
from comfyclient.resources._missing import missing
from comfyclient.resources._noun import Noun
from comfyclient.types.models import ModelFile, ModelFolder

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Collection

    from comfyclient._http import Transport

__all__ = ["Models"]

_LIST_SINCE, _DETAILS_SINCE = "0.2.3", "0.3.10"
_FORMER = {"unet": "diffusion_models", "clip": "text_encoders"}
"""Folders that were renamed in 2024; loaders take both names, these routes only the new one."""


class Models(Noun):
    """The server's models: checkpoints, LoRAs, embeddings and the rest, by folder.

    The server looks at its directories when it is asked, so a file is there as soon as it lies there.

    Everything here runs in the caller's thread. Besides what its own text says, every method raises
    ``ServerUnreachable`` without a connection, ``RequestTimeout`` without an answer in time, ``ServerError``
    when the server refuses, and ``DecodeError`` for an answer that is not ComfyUI's.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def folders(self) -> builtins.list[str]:
        """Return the names of the folders, such as ``"checkpoints"`` (``GET /models``).

        A few hold other things: ``"configs"``, ``"custom_nodes"``.

        Raises:
            Unsupported: The server is of September 2024 or before.
        """
        return get(self._transport, "/models", list[str], since=_LIST_SINCE)

    def list(self, folder: str) -> builtins.list[str]:
        """Return the files in a folder, by the names that loaders take (``GET /models/{folder}``).

        Raises:
            NotFound: There is no such folder; the text names those that look like it.
            Unsupported: The server is of September 2024 or before.
            ValueError: The name is empty.
        """
        try:
            return get(self._transport, f"/models/{path_segment(folder)}", list[str])
        except NotFound as error:
            raise _no_folder(error, folder, self.folders) from None

    def details(self, folder: str) -> tuple[ModelFile, ...]:
        """Return the models in a folder with size and times (``GET /experiment/models/{folder}``).

        Files that are no weights, such as ``.yaml``, and hidden ones are left out.

        Raises:
            NotFound: There is no such folder; the text names those that look like it.
            Unsupported: The server is of December 2024 or before.
            ValueError: The name is empty.
        """
        try:
            return get(self._transport, f"/experiment/models/{path_segment(folder)}", tuple[ModelFile, ...])
        except NotFound as error:
            raise _no_folder(error, folder, lambda: [found.name for found in self.locations()]) from None

    def locations(self) -> tuple[ModelFolder, ...]:
        """Return the folders with their directories on the server's machine (``GET /experiment/models``).

        Raises:
            Unsupported: The server is of December 2024 or before.
        """
        return get(self._transport, "/experiment/models", tuple[ModelFolder, ...], since=_DETAILS_SINCE)

    def preview(self, folder: str, file: ModelFile | str) -> bytes | None:
        """Return a model's picture (``GET /experiment/models/preview/{folder}/{path_index}/{filename}``).

        That is an image beside the file (``foxes.png`` or ``foxes.preview.png`` for ``foxes.safetensors``), or
        one that the file itself holds.

        Args:
            folder: Its folder.
            file: The model. A name has to be looked up first; what ``details`` returned has not.

        Returns:
            A WebP image, or ``None`` if there is none. Some servers find none for names with brackets.

        Raises:
            NotFound: There is no such folder, or no model of that name; the text names those that look like it.
            Unsupported: The server is of December 2024 or before.
            ValueError: The name is empty, or leads out of the folder.
        """
        if isinstance(file, str):
            file = self._find(folder, file)
        # Not escaped as %2F: the route takes slashes as they are, and some proxies refuse the other form.
        filename = "/".join(map(path_segment, file.name.split("/")))
        path = f"/experiment/models/preview/{path_segment(folder)}/{file.pathIndex}/{filename}"
        try:
            response = self._transport.request("GET", path)
        except NotFound:
            return None
        kind = response.headers.get("Content-Type", "no content type")
        if not kind.startswith("image/"):
            raise DecodeError(redact(response.url), (f"{kind} came where an image is due",))
        return response.content

    def embeddings(self) -> builtins.list[str]:
        """Return the names of the embeddings, as prompts name them: ``"embedding:name"`` (``GET /embeddings``)."""
        return get(self._transport, "/embeddings", list[str])

    def metadata(self, folder: str, filename: str) -> dict[str, Any] | None:
        """Return what a safetensors file says of itself (``GET /view_metadata/{folder}``).

        Args:
            folder: Its folder.
            filename: Its name, as ``list`` gives it.

        Returns:
            Its ``__metadata__``, all strings as a rule; trainers put JSON into some of them. ``None`` where the
            server has nothing to show: the file is of another kind, holds no metadata, or begins with a list of
            tensors of more than 1 MB.

        Raises:
            NotFound: There is no such folder, or no such file; the text names those that look like it.
            ValueError: The folder's name is empty.
        """
        path = f"/view_metadata/{path_segment(folder)}"
        try:
            return get(self._transport, path, dict[str, Any], params={"filename": filename})
        except NotFound as error:  # which stands for everything that can be wrong
            try:
                known = self.list(folder)
            except Unsupported:  # then it cannot be told
                hint = f"there is no such folder or file, or nothing in it to show: {filename!r} in {folder!r}"
                raise NotFound(error.status, hint, error.method, error.url) from None
            if filename not in known:
                raise missing(error, f"file in {folder!r} named", filename, known) from None
            return None

    def _find(self, folder: str, name: str) -> ModelFile:
        models = {model.name: model for model in reversed(self.details(folder))}  # the first of a name counts
        if name in models:
            return models[name]
        path = f"/experiment/models/{path_segment(folder)}"
        error = NotFound(404, "", "GET", self._transport.url(path))
        raise missing(error, f"model in {folder!r} named", name, models)


def _no_folder(error: NotFound, folder: str, ask: Callable[[], Collection[str]]) -> ComfyError:
    """What a 404 for a folder means: an old server, or no such folder."""
    try:
        known = ask()
    except Unsupported as unsupported:
        return unsupported
    except ComfyError:
        return error
    if (former := _FORMER.get(folder)) in known:
        sentence = f"there is no folder of models {folder!r}; its name is {former!r} now"
        return NotFound(error.status, sentence, error.method, error.url)
    return missing(error, "folder of models", folder, known)
