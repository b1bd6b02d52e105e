"""``client.nodes``: the classes of nodes that the server has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfyclient._convert import hook
from comfyclient._http import path_segment
from comfyclient._lazy import Kept, LazyMapping
from comfyclient.resources._answers import build, get
from comfyclient.resources._ids import checked_ids
from comfyclient.resources._noun import Noun
from comfyclient.resources._ranking import search
from comfyclient.types.nodes import NodeInfo, NodeReplacement
from comfyclient.workflow.wording import listed

if TYPE_CHECKING:
    import builtins
    from collections.abc import Mapping

    from comfyclient._http import Transport

__all__ = ["Nodes"]

_REPLACEMENTS_SINCE = "0.30.0"


class Nodes(Noun):
    """The server's nodes.

    The catalogue of all nodes has megabytes and keeps the server from all other work while it is made. So it is
    asked for once, when it is first needed, and kept as long as the client, as are single nodes that were asked for
    without it; its threads share all that. Two things in it change while the server runs: the lists of models and
    files among the choices of inputs, whenever a file comes or goes, and everything when the server is started anew.
    ``refresh=True`` asks again: for one node, which is cheap, or for all.

    Everything here runs in the caller's thread. Besides what its own text says, every method raises
    ``ServerUnreachable`` without a connection, ``RequestTimeout`` without an answer in time, ``ServerError``
    when the server refuses, and ``DecodeError`` for an answer that is not ComfyUI's.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._catalogue = Kept(self._ask_for_all)
        self._single: dict[str, NodeInfo] = {}  # what was asked for one by one; each entry is put there as a whole

    def get(self, class_type: str, *, refresh: bool = False) -> NodeInfo | None:
        """Return a class of nodes, or ``None`` if the server lacks it (``GET /object_info/{class}``).

        Nothing is sent for what is known already.

        Args:
            class_type: Its name.
            refresh: Ask the server in any case, and correct what is known.

        Raises:
            ServerError: 500 when the node cannot describe itself.
            ValueError: The name is empty.
        """
        path = f"/object_info/{path_segment(class_type)}"
        known = self._single if self._catalogue.value is None else self._catalogue.value
        if not refresh and class_type in known:
            return known[class_type]
        entry = get(self._transport, path, dict[str, Any]).get(class_type)
        self._catalogue.change(lambda catalogue: catalogue.corrected(class_type, entry))
        if entry is None:
            self._single.pop(class_type, None)
            return None
        info = self._single[class_type] = _Catalogue({class_type: entry}, self._transport.url(path))[class_type]
        return info

    def list(self, *, refresh: bool = False) -> Mapping[str, NodeInfo]:
        """Return all classes of nodes, by name (``GET /object_info``).

        The answer is parsed at once, while each node is built when it is looked at; only then can
        ``DecodeError`` arise for it. A node that cannot describe itself is missing. What is returned does not
        change, whatever is refreshed later.

        Args:
            refresh: Ask the server even if the catalogue is there.
        """
        return self._catalogue.renew() if refresh else self._catalogue.get()

    def names(self, *, refresh: bool = False) -> builtins.list[str]:
        """Return the names of all classes of nodes; takes what ``list`` takes (``GET /object_info``)."""
        return [*self.list(refresh=refresh)]

    def search(self, text: str) -> builtins.list[str]:
        """Return the names of the classes in which all words of a text occur, best first (``GET /object_info``).

        Case does not matter, and parts of words count. Looked through are name and display name, other names
        (``search_aliases``), category and description; in this order they make the better match. Of equally
        good ones, those that the server advises against are last. Asks the server only if the catalogue is not
        there.

        Raises:
            TypeError: It is no text.
        """
        return search(checked_ids([text])[0], self._catalogue.get().raw)

    def replacements(self) -> dict[str, tuple[NodeReplacement, ...]]:
        """Return what stands in for classes that are gone, by the old name (``GET /node_replacements``).

        The server replaces them by itself when a prompt has one that is not installed: by the first of each.

        Raises:
            Unsupported: The server is too old.
        """
        path = "/node_replacements"
        return get(self._transport, path, dict[str, tuple[NodeReplacement, ...]], since=_REPLACEMENTS_SINCE)

    def _ask_for_all(self) -> _Catalogue:
        path = "/object_info"
        return _Catalogue(get(self._transport, path, dict[str, Any]), self._transport.url(path))


class _Catalogue(LazyMapping[NodeInfo]):
    """All nodes, or some; an error in one of them names it.

    Args:
        raw: The server's descriptions, by name.
        url: Where they are from.
    """

    __slots__ = ("_url",)

    def __init__(self, raw: Mapping[str, Any], url: str) -> None:
        super().__init__(raw, _read)
        self._url = url

    def __getitem__(self, key: str) -> NodeInfo:
        entry = self.raw[key]
        try:
            return self._build(entry)
        except Exception:  # noqa: BLE001 - whatever it is, the detailed converter names it
            return build({key: entry}, dict[str, NodeInfo], self._url)[key]

    def __repr__(self) -> str:
        return f"<{len(self)} classes of nodes: {listed(map(str, self), 5)}>"

    def corrected(self, name: str, entry: Any) -> _Catalogue:
        """Another one, in which a node is as given; ``None`` for gone."""
        raw = {**self.raw, name: entry}
        if entry is None:
            del raw[name]
        return _Catalogue(raw, self._url)


_structure = hook(NodeInfo)


def _read(entry: Any) -> NodeInfo:
    return _structure(entry)
