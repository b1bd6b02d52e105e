"""The nodes of a workflow: by id, by what they are, to edit and to add to."""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from comfyclient.errors import WorkflowError
from comfyclient.workflow import check, edits, finding
from comfyclient.workflow.copying import copied
from comfyclient.workflow.node import Node, label
from comfyclient.workflow.wording import MissingError, kind_of, report

if TYPE_CHECKING:
    from comfyclient.workflow.catalog import Catalog


class NodeMapping(Mapping[str, Node]):
    """Nodes by their ids, in the document's order; what of a ``Workflow`` concerns its nodes."""

    @property
    @abstractmethod
    def _graph(self) -> dict[str, dict[str, Any]]:
        """The nodes themselves.

        Raises:
            WorkflowError: They cannot be known yet.
        """

    def __getitem__(self, node_id: str) -> Node:
        """A node; an unknown one is a ``WorkflowError`` that is also a ``KeyError``."""
        if node_id not in self._graph:
            raise MissingError(f"no node has the id {node_id!r}; {finding.nearest_nodes(self, str(node_id))}")
        return Node(node_id, self._graph)

    def __contains__(self, node_id: object) -> bool:
        return node_id in self._graph

    def __iter__(self) -> Iterator[str]:
        return iter(self._graph)

    def __len__(self) -> int:
        return len(self._graph)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._graph)

    def title(self, node_id: str) -> str:
        """A node's title in the editor, or its class; the id itself for a node that is not in the workflow.

        Servers name such nodes when a node expands into others while it runs.
        """
        return self[node_id].title if node_id in self else node_id

    def class_type(self, node_id: str) -> str | None:
        """A node's class, or None for a node that is not in the workflow."""
        return self[node_id].class_type if node_id in self else None

    def find(self, *, class_type: str | None = None, title: str | None = None, has_input: str | None = None) -> Node:
        """The one node of this class, with this title, with an input of this name: all of them that are given.

        Raises:
            WorkflowError: There is none, or more than one; the message lists the candidates.

        Example:
            >>> workflow.find(class_type="KSampler").id
            '3'
            >>> workflow.find(title="Negative prompt")["text"]
            'text, watermark'
        """
        return finding.find(self, class_type=class_type, title=title, has_input=has_input)

    def find_all(
        self, *, class_type: str | None = None, title: str | None = None, has_input: str | None = None
    ) -> list[Node]:
        """All nodes of this class, with this title, with an input of this name, in the document's order."""
        return finding.find_all(self, class_type=class_type, title=title, has_input=has_input)

    def outputs(self, catalog: Catalog | None = None) -> list[Node]:
        """The nodes for whose sake the workflow runs, such as ``SaveImage``, in the document's order.

        Args:
            catalog: The server's nodes, which tell exactly: what ``client.nodes.list()`` returns, or the server's
                ``/object_info``. Without them, these are the nodes that no other one reads from.

        Raises:
            WorkflowError: The catalogue is none.
        """
        return [self[node_id] for node_id in edits.outputs(self._graph, catalog)]

    def add(
        self,
        class_type: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        title: str | None = None,
        node_id: str | None = None,
    ) -> Node:
        """Add a node, behind all others: ``workflow.add("SaveImage", {"images": decoder.output()})``.

        Args:
            class_type: Its class.
            inputs: Its inputs by name; they are copied.
            title: What the editor calls it.
            node_id: Its id; the next free number unless given.

        Raises:
            WorkflowError: There is a node of this id already, or the inputs are none.
        """
        if node_id is None:
            node_id = edits.free_id(self._graph)
        if node_id in self._graph:
            raise WorkflowError(f"there is a node of the id {node_id!r} already: {label(self[node_id])}")
        node: dict[str, Any] = {"class_type": class_type, "inputs": {} if inputs is None else inputs}
        if title is not None:
            node["_meta"] = {"title": title}
        if problems := check.shape_problems({node_id: node}):
            raise WorkflowError(report(problems))
        self._graph[node_id] = copied(node)
        return self[node_id]

    def randomize_seeds(self, catalog: Catalog | None = None, *, rng: random.Random | None = None) -> dict[str, int]:
        """Draw new seeds: for each input that has a whole number and is called ``seed``, ``noise_seed`` or the like.

        Where a seed comes over a link, nothing happens to the node that gives it, unless that calls it so.

        Args:
            catalog: The server's nodes, which tell how large each seed may be: what ``client.nodes.list()`` returns, or
                the server's ``/object_info``. Without them, seeds are from 1 to 2**31 - 1, which nearly all nodes take.
            rng: Draws them; a new one unless given.

        Returns:
            The new seeds by path, as ``set`` takes them.

        Raises:
            WorkflowError: The catalogue is none.
        """
        return edits.randomize_seeds(self._graph, catalog, rng or random.Random())  # noqa: S311 - no secret

    def set(self, values: Mapping[str, Any], *, add: bool = False) -> None:
        """Set inputs by path: ``{"6.text": "a fox", "KSampler.seed": 42}``.

        A path is ``<node>.<input>``, and the node is meant by its id, else by its title, else by its class.
        All of these may contain dots, as names of inputs may: every dot is tried, and the first of id, title
        and class that leads to an existing input wins. Where it leads to several, the path is refused. All
        paths are resolved before anything is set.

        Args:
            values: The new values by path.
            add: Also set inputs that the node does not have in this document, such as optional ones. Without
                it they are refused, since the server ignores an unknown input without a word.

        Raises:
            WorkflowError: A path fits nothing, or more than one input; the message lists the candidates.

        Example:
            >>> workflow.set({"Positive prompt.text": "a fox", "KSampler.seed": 42})
            >>> workflow["6"]["text"], workflow["3"]["seed"]
            ('a fox', 42)
        """
        if not isinstance(values, Mapping):
            raise TypeError(f"give a dict of values by path, such as {{'6.text': 'a fox'}}, not {kind_of(values)}")
        problems: list[str] = []
        targets: list[tuple[Node, str, Any]] = []
        for path, value in values.items():
            try:
                targets.append((*finding.resolve(self, path, add=add), value))
            except WorkflowError as error:
                problems.append(str(error))
        if problems:
            raise WorkflowError(report(problems))
        for node, name, value in targets:
            node[name] = value
