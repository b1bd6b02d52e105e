"""``Workflow``: a graph in ComfyUI's API format: from where it comes, whether it is right, and what becomes of it."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfyclient._displayed import Displayed
from comfyclient.errors import WorkflowError
from comfyclient.workflow import check, edits, local
from comfyclient.workflow.catalog import definitions
from comfyclient.workflow.copying import copied
from comfyclient.workflow.diff import Diff, diff, same
from comfyclient.workflow.node_mapping import NodeMapping
from comfyclient.workflow.origin import Origin
from comfyclient.workflow.source import PATIENCE, read
from comfyclient.workflow.wording import kind_of, report

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from comfyclient.client import Client
    from comfyclient.display.drawing import Drawing, Highlight
    from comfyclient.types.nodes import NodeReplacement
    from comfyclient.workflow.catalog import Catalog
    from comfyclient.workflow.links import Graph
    from comfyclient.workflow.needs import NeededModel
    from comfyclient.workflow.source import Preference, Source
    from comfyclient.workflow.validation import Problems

_MOST_KINDS = 5  # in a repr


class Workflow(Displayed, NodeMapping):
    """A workflow in the API format: a mapping of node ids to nodes, in the document's order.

    The constructor copies the graph, so what is edited here changes nothing elsewhere. It leaves out
    ``is_changed``, which ComfyUI adds to the workflow inside its images: sent back, it would freeze the
    node's change detection.

    The editor's own save files hold less than servers take; the rest is in the server's catalogue of nodes. Without a
    catalogue such a file is kept as it is: it can be run, copied and converted by ``to_api``, while everything that
    concerns its nodes raises ``WorkflowError``. ``client.load`` has the catalogue.

    Example:
        >>> workflow = Workflow.load("portrait.json")
        >>> workflow["6"]["text"] = "a fox in the snow"
        >>> workflow.find(title="Positive prompt")["text"]
        'a fox in the snow'
    """

    def __init__(self, graph: Mapping[str, Any], *, catalog: Catalog | None = None) -> None:
        """Copy a graph.

        Args:
            graph: The nodes by id, as ComfyUI's "Export (API)" writes them, a body of ``POST /prompt`` around them, or
                what the editor saves.
            catalog: The server's nodes, to convert what the editor saves; see ``load``.

        Raises:
            WorkflowError: It has another shape; the message names every node that is wrong.
        """
        self._origin: Origin | None = None
        self._converted: dict[str, dict[str, Any]] | None = None
        if isinstance(graph, Workflow):
            self._origin = graph._origin  # noqa: SLF001 - one of our own
            if not graph.needs_catalog:
                self._converted = graph.to_api()
            else:
                self._convert(catalog)
            return
        raw: Any = graph
        if not isinstance(raw, Mapping):
            raise WorkflowError(f"a workflow is an object of nodes by their ids, not {kind_of(raw)}")
        body = raw.get("prompt")
        if isinstance(body, Mapping) and "class_type" not in body:
            raw = body
        if foreign := check.foreign_format(raw):
            raise WorkflowError(f"this is {foreign}; a workflow of ComfyUI: {check.EXPORT_ADVICE}")
        if check.is_editor_format(raw):
            self._origin = Origin.of(raw)
            self._convert(catalog)
            return
        if problems := check.shape_problems(raw):
            raise WorkflowError(f"{report(problems)}\nThis is not the API format: {check.EXPORT_ADVICE}")
        self._converted = {node_id: copied(node) for node_id, node in raw.items()}

    @classmethod
    def load(
        cls,
        source: Source,
        *,
        catalog: Catalog | None = None,
        prefer: Preference = "prompt",
        timeout: float = PATIENCE,
    ) -> Workflow:
        """Load a workflow from wherever it is: JSON, or what ComfyUI made with it.

        Files and bytes are known by their content, not their name. Images, videos, sounds and models are read as far
        as their metadata goes, in constant memory.

        Args:
            source: A path, JSON text (a string that begins with a brace), bytes, an open file, an ``http`` or
                ``https`` URL such as that of ``client.files.url``, an ``OutputFile`` of a result, a dict, or
                another workflow, which is copied. A URL is fetched without the credentials of any client; where they
                are needed, give the ``OutputFile``, or the bytes of ``client.files.read``.
            catalog: The server's nodes: what ``client.nodes.list()`` returns, or ``/object_info`` parsed, as JSON, or
                as the path of a file. Only what the editor saves needs it.
            prefer: Which one to take where there are two: the ``"prompt"`` that ran, or the ``"workflow"`` that the
                editor sent along. If there is only the other one, that is taken.
            timeout: Seconds that fetching a URL may take in all.

        Raises:
            WorkflowError: It is empty, no JSON, a file without a workflow, or a workflow of another program; the
                message says what it is instead, and what to do.
            OSError: The file cannot be read.
            ComfyError: The URL cannot be fetched: ``ServerUnreachable``, ``RequestTimeout``, ``NotFound`` and so on.

        Example:
            >>> list(Workflow.load("portrait.json"))
            ['3', '4', '5', '6', '7', '8', '9']
            >>> Workflow.load(client.run("portrait.json").images[0]) == Workflow.load("portrait.json")
            True
        """
        graph, name = read(source, prefer=prefer, timeout=timeout)
        try:
            return cls(graph, catalog=catalog)
        except WorkflowError as error:
            raise WorkflowError(f"{name}: {error}" if name else str(error)) from None

    @classmethod
    def template(cls, name: str, *, pack: str | None = None, client: Client | None = None) -> Workflow:
        """Load one of the server's own templates (``GET /templates/{path}``, and ``GET /object_info`` as a rule).

        ``client.load(client.templates.get(name))`` is the same.

        Args:
            name: Its name, as ``client.templates.index`` and ``client.templates.list`` have it.
            pack: The pack of custom nodes that it is from; ``None`` for an official one.
            client: A client of the server. Without one, the server is that of ``COMFYUI_URL``, or the one on this
                machine.

        Raises:
            NotFound: There is none of that name; the text names those that look like it.
            WorkflowError: It is broken.
            ServerUnreachable, RequestTimeout, ServerError, DecodeError: The server cannot be asked.
        """
        if client is not None:
            return client.load(client.templates.get(name, pack))
        from comfyclient.client import Client  # noqa: PLC0415 - it imports this module

        with Client(realtime=False) as local:
            return cls.template(name, pack=pack, client=local)

    def __eq__(self, other: object) -> bool:
        """Whether the server would get the same, titles included."""
        if not isinstance(other, Workflow):
            return NotImplemented
        if self.needs_catalog or other.needs_catalog:
            return self.needs_catalog and other.needs_catalog and self.saved_file == other.saved_file
        return same(self._graph, other._graph)

    __hash__ = None  # type: ignore[assignment] # it can be edited

    def __repr__(self) -> str:
        """How many nodes of which classes; never the values."""
        if self.needs_catalog:
            return f"<Workflow {self._origin}>"
        kinds = Counter(node.class_type for node in self.values())
        names = [kind if count == 1 else f"{count} {kind}" for kind, count in kinds.items()]
        names[_MOST_KINDS:] = ["…"] if len(names) > _MOST_KINDS else []
        return f"<Workflow {len(self)} node{'s' * (len(self) != 1)}{': ' * bool(names)}{', '.join(names)}>"

    @property
    def _graph(self) -> dict[str, dict[str, Any]]:
        if self._converted is None:
            raise WorkflowError(
                "this is the editor's own save file, whose nodes cannot be read without the server's catalogue of "
                "nodes: load it with client.load(...), or give Workflow.load(...) a catalog"
            )
        return self._converted

    @property
    def needs_catalog(self) -> bool:
        """Whether it is what the editor saved, and not converted yet."""
        return self._converted is None

    @property
    def saved_file(self) -> Mapping[str, Any] | None:
        """What the editor saved, if this is made from it and was not edited since; not a copy."""
        if self._origin is None or (self._converted is not None and not self._origin.is_current(self._converted)):
            return None
        return self._origin.document

    def copy(self) -> Workflow:
        """An independent copy."""
        return Workflow(self)

    def diff(self, other: Workflow) -> Diff:
        """What has to change in this one for it to be the other one; false if nothing, and a text to read as ``str``.

        Nodes are compared by their ids.
        """
        if not isinstance(other, Workflow):
            raise TypeError(f"a workflow is compared with a Workflow, not with {kind_of(other)}")
        return diff(self, other)

    def check(self) -> None:
        """Look for everything that no server would take. The client does so before it sends anything.

        That is: links to nodes that are not there, links with a bad output number, nodes in a circle, values
        that JSON cannot hold, no nodes at all, and nodes of the editor's file that its server does not have. Files of
        your own that are to be uploaded are fine. What else depends on the nodes' classes, only the server knows.

        Raises:
            WorkflowError: There are such problems; the message names them all, with their nodes and inputs.
        """
        graph, _ = self._readable()
        problems = check.content_problems(local.uploaded(graph))
        if self._origin is not None:
            problems += self._origin.problems(self._graph)
        if problems:
            raise WorkflowError(report(problems))

    def validate(
        self, catalog: Catalog, *, replacements: Mapping[str, Sequence[NodeReplacement]] | None = None
    ) -> Problems:
        """Look for everything that a server would refuse, and for what it would swallow without a word.

        Errors are what the server would refuse: unknown classes, missing inputs, values out of range or not among the
        choices, links of the wrong type, nodes in a circle, and whatever ``check`` finds. Warnings are what it takes
        and ignores or changes: inputs that the class does not have, ``"false"`` where a boolean is due (which becomes
        true), a value where only a link makes sense, nodes that feed no output.

        A node class may have checks of its own, which no catalogue tells. Files come and go: with a catalogue of
        ``client.nodes.list(refresh=True)``, the choices are those of now. Nothing is sent.

        Args:
            catalog: The server's nodes: what ``client.nodes.list()`` returns, or the server's ``/object_info``.
            replacements: What ``client.nodes.replacements()`` returns, for old workflows: a class that is gone is no
                error if the server puts another one in its place.

        Returns:
            The problems, errors first and each kind in the order of the nodes, none for a workflow that is right: a
            list of ``Problem``, which prints as sentences.

        Raises:
            WorkflowError: The catalogue is none.

        Example:
            >>> workflow["3"]["sampler_name"] = "eulr"
            >>> print(*workflow.validate(client.nodes.list()))
            node 3 'KSampler': input 'sampler_name': 'eulr' is not one of the 44 choices; nearest: 'euler'
        """
        from comfyclient.workflow.validation import validate  # noqa: PLC0415 - most programs never do this

        graph, origin = self._readable(catalog)
        # What the editor did not know goes out without its class, and servers replace classes that are named.
        nameless = origin.classes if origin is not None else ()
        known = {old: new for old, new in (replacements or {}).items() if old not in nameless}
        return validate(graph, catalog, known)

    def models(self, catalog: Catalog) -> list[NeededModel]:
        """Every model file that the workflow names, whether the server has it, and where it is to be had.

        The last is told by the editor's file alone, as those of ``client.templates`` do.

        Args:
            catalog: As for ``validate``.

        Raises:
            WorkflowError: The catalogue is none.
        """
        from comfyclient.workflow.needs import models  # noqa: PLC0415 - as in validate

        saved_file = None if self._origin is None else self._origin.document
        return models(self._readable(catalog)[0], catalog, saved_file)

    def draw(self, *, highlight: Highlight = (), catalog: Catalog | None = None) -> Drawing:
        """Draw the workflow: to look at in a notebook, in a terminal, or as an SVG or PNG file.

        What the editor saved needs no catalogue for that. What it mutes and bypasses is drawn, too; its notes are not.

        Args:
            highlight: The nodes to draw in red: their ids, problems of ``validate`` or of a ``PromptRejected``, the
                ``JobFailed`` itself in a list; or a dict of what to say about each, by id.
            catalog: The server's nodes, as for ``validate``, which tell the types and names of all outputs, and which
                nodes are outputs. Without them, these are the nodes that no other one reads from.

        Raises:
            WorkflowError: The editor's file is broken, or the catalogue is none.
            TypeError: There is something else to highlight.
        """
        from comfyclient.display import scheme  # noqa: PLC0415 - as in validate
        from comfyclient.display.drawing import Drawing  # noqa: PLC0415
        from comfyclient.display.saved import of_file  # noqa: PLC0415

        if self.needs_catalog and catalog is None and self._origin is not None:
            return Drawing(of_file(self._origin.document), highlight)
        graph, origin = self._readable(catalog)
        drawn = scheme.of_graph(graph, catalog, edits.outputs(graph, catalog))
        if origin is not None:
            drawn = scheme.with_left_out(drawn, of_file(origin.document))
        return Drawing(drawn, highlight)

    def to_api(self, catalog: Catalog | None = None) -> dict[str, dict[str, Any]]:
        """A copy of the graph, as ``POST /prompt`` takes it, and as the editor's "Export (API)" writes it.

        Every node has a ``_meta`` there: servers fail on a node without one when its class has a replacement.

        Args:
            catalog: The server's nodes, as ``load`` takes them; only for what the editor saved and is not converted
                yet. Choices in its texts, such as ``{red|blue}``, are made anew each time, as the editor does.

        Raises:
            WorkflowError: It needs a catalogue and there is none, or the editor's file is broken.
        """
        if self._converted is None and self._origin is not None and catalog is not None:
            return self._origin.convert(catalog)[0]
        return {node_id: copied(node) for node_id, node in self._graph.items()}

    def to_editor(self, catalog: Catalog) -> dict[str, Any]:
        """The workflow as a save file of the editor, for ``json.dump``.

        Nodes stand in columns, each to the right of what feeds it, and in subgraphs where their ids say so:
        ``"104:85"`` is node 85 of the subgraph that node 104 stands for. What the editor exports of it is this
        workflow again, but:

        - Inputs that are missing here have the editor's defaults; those that their class does not declare are left
          out, as servers ignore them.
        - Where a value is given to what only takes links in the editor, and no subgraph is around it, a node that
          gives it is added.
        - The editor rounds numbers beyond 2**53, and replaces names such as ``%date:yyyy%`` and ``%KSampler.seed%``
          in a ``filename_prefix``.
        - A node that the catalogue does not have is shown as missing, its values in the order of its inputs.

        What the editor saved, and nobody edited since, is that very file again.

        Args:
            catalog: The server's nodes: what ``client.nodes.list()`` returns, or the server's ``/object_info``.

        Raises:
            WorkflowError: The catalogue is none; or a value is none that JSON can hold, or none that any node gives.
        """
        from comfyclient.workflow.editor import to_editor  # noqa: PLC0415 - most workflows need none of it

        if self.saved_file is not None:
            return copy.deepcopy(dict(self.saved_file))
        self.to_json()  # which finds what JSON cannot hold
        graph, _ = self._readable()
        return to_editor({node_id: copied(node) for node_id, node in graph.items()}, definitions(catalog))

    def to_json(self, *, indent: int | None = None) -> str:
        """The workflow as JSON text.

        Raises:
            WorkflowError: A value is none that JSON can hold, such as a file of your own that is to be uploaded.
        """
        try:
            return json.dumps(self._graph, indent=indent, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            problems = local.problems(self._graph) + check.content_problems(local.uploaded(self._graph))
            raise WorkflowError(report(problems)) from None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the workflow as JSON, replacing a file of this name.

        Raises:
            WorkflowError: A value is none that JSON can hold; the file is untouched.
            OSError: The file cannot be written.
        """
        text = self.to_json(indent=2)
        Path(path).write_text(f"{text}\n", encoding="utf-8")

    def _readable(self, catalog: Catalog | None = None) -> tuple[Graph, Origin | None]:
        """The graph, with the names of classes that the editor's file has and the server does not; and that file."""
        graph, origin = self._converted, self._origin
        if graph is None and origin is not None and catalog is not None:
            graph, origin = origin.convert(catalog)
        graph = self._graph if graph is None else graph
        return (graph if origin is None else origin.named(graph)), origin

    def _convert(self, catalog: Catalog | None) -> None:
        if self._origin is not None and catalog is not None:
            self._converted, self._origin = self._origin.convert(catalog)
