"""``client.templates``: ready-made workflows and subgraphs that the server offers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from comfyclient._http import path_segment
from comfyclient.errors import ComfyError, DecodeError, NotFound, Unsupported
from comfyclient.resources._answers import build, get
from comfyclient.resources._missing import missing
from comfyclient.resources._noun import Noun
from comfyclient.types.templates import Subgraph, TemplateCategory

if TYPE_CHECKING:
    import builtins

    from comfyclient._http import Transport

__all__ = ["Templates"]

_PACKS_SINCE, _SUBGRAPHS_SINCE = "0.3.10", "0.9.0"


class Templates(Noun):
    """Workflows and subgraphs that come with the server and its custom nodes.

    The official templates are in ``index``; those of packs of custom nodes in ``list``.

    Everything here runs in the caller's thread. Besides what its own text says, every method raises
    ``ServerUnreachable`` without a connection, ``RequestTimeout`` without an answer in time, ``ServerError``
    when the server refuses, and ``DecodeError`` for an answer that is not ComfyUI's.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> dict[str, builtins.list[str]]:
        """Return the names of custom nodes' templates, by pack (``GET /workflow_templates``).

        Raises:
            Unsupported: The server is of December 2024 or before.
        """
        return get(self._transport, "/workflow_templates", dict[str, list[str]], since=_PACKS_SINCE)

    def index(self) -> tuple[TemplateCategory, ...]:
        """Return what the editor's gallery of official templates shows (``GET /templates/{path}``).

        That is ``index.json``, of half a megabyte.

        Raises:
            NotFound: The server has none: it is old, or was installed without them.
        """
        try:
            return get(self._transport, "/templates/index.json", tuple[TemplateCategory, ...])
        except NotFound as error:
            hint = "there are no official templates; they come with a package of their own, since 2025"
            raise error if error.body else NotFound(error.status, hint, error.method, error.url) from None

    def get(self, name: str, pack: str | None = None) -> dict[str, Any]:
        """Return a template, in the editor's format as a rule (``GET /templates/{path}``).

        Args:
            name: Its name, as ``index`` or ``list`` gives it.
            pack: The pack of custom nodes that it is from (its files are below ``/api/workflow_templates``);
                ``None`` for an official one.

        Raises:
            NotFound: There is none of that name; the text names those that look like it.
            ValueError: A name is empty.
        """
        where = "/templates" if pack is None else f"/api/workflow_templates/{path_segment(pack)}"
        try:
            return get(self._transport, f"{where}/{path_segment(name)}.json", dict[str, Any])
        except NotFound as error:
            raise self._missing(error, name, pack) from None

    def subgraphs(self) -> dict[str, Subgraph]:
        """Return the subgraphs that the editor offers as nodes, by id (``GET /global_subgraphs``).

        The ids are those of this server: another one has others for the same subgraphs.

        Raises:
            Unsupported: The server is older than 0.9.
        """
        return get(self._transport, "/global_subgraphs", dict[str, Subgraph], since=_SUBGRAPHS_SINCE)

    def subgraph(self, id: str) -> Subgraph | None:  # noqa: A002 - the server's word
        """Return a subgraph with its content, or ``None`` if it is unknown (``GET /global_subgraphs/{id}``).

        Raises:
            Unsupported: The server is older than 0.9.
            ValueError: The id is empty.
        """
        path = f"/global_subgraphs/{path_segment(id)}"
        answer = self._transport.parse(self._transport.request("GET", path, since=_SUBGRAPHS_SINCE))
        if answer is None:
            return None
        url = self._transport.url(path)
        if isinstance(answer, dict) and isinstance(answer.get("data"), str):
            try:
                answer["data"] = json.loads(answer["data"])
            except (ValueError, RecursionError) as error:
                raise DecodeError(url, (f"the text is not JSON ({error}) @ $.data",)) from None
        return build(answer, Subgraph, url)

    def _missing(self, error: NotFound, name: str, pack: str | None) -> ComfyError:
        """What a 404 for a template means."""
        try:
            if pack is None:
                names = [template.name for category in self.index() for template in category.templates]
                return missing(error, "official template", name, names)
            packs = self.list()
        except (NotFound, Unsupported) as reason:
            return reason
        except ComfyError:
            return error
        if pack not in packs:
            return missing(error, "pack with templates named", pack, packs)
        return missing(error, f"template in {pack!r} named", name, packs[pack])
