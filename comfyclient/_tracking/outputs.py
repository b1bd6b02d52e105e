"""Which nodes of a workflow run: those that an output needs."""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import TYPE_CHECKING

from comfyclient.errors import ComfyError
from comfyclient.workflow import links

if TYPE_CHECKING:
    from collections.abc import Collection

    from comfyclient.resources import Nodes
    from comfyclient.workflow import Workflow

log = logging.getLogger(__name__)


class OutputClasses:
    """What the server has said of classes: whether their nodes are outputs. Safe for threads.

    Args:
        nodes: Where to ask.
    """

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._known: dict[str, bool] = {}  # only ever grows

    def __len__(self) -> int:
        return len(self._known)

    def needed(self, workflow: Workflow, refused: Collection[str] = ()) -> set[str]:
        """The ids of the nodes that outputs need; what is not known to be none counts as one. No I/O.

        Args:
            workflow: The graph.
            refused: Outputs that the server has left out.
        """
        kept, _ = self._peeled(workflow, refused)
        return kept

    def is_clear(self, workflow: Workflow, refused: Collection[str] = ()) -> bool:
        """Whether that is all there is to know."""
        _, unknown = self._peeled(workflow, refused)
        return not unknown

    def learn(self, workflow: Workflow, refused: Collection[str] = ()) -> None:
        """Ask for the classes that matter; a server that does not answer is let be."""
        try:
            while unknown := self._peeled(workflow, refused)[1]:
                for class_type in unknown:
                    info = self._nodes.get(class_type)
                    self._known[class_type] = info is None or info.output_node
        except ComfyError as error:
            log.debug("which nodes are outputs is not known: %s", str(error))

    def _peeled(self, workflow: Workflow, refused: Collection[str]) -> tuple[set[str], set[str]]:
        """The nodes that are left when those that nobody uses and that are no outputs are taken away, layer by layer.

        Returns:
            Their ids, and the classes of which an answer could take away more.
        """
        kept = set(workflow)
        users: defaultdict[str, set[str]] = defaultdict(set)
        for node in workflow.values():
            for _, source, _ in links.sources(node.inputs):
                users[source].add(node.id)
        loose = [node_id for node_id in kept if not users[node_id]]
        last: list[str] = []
        while loose:
            node = workflow[loose.pop()]
            if node.id not in refused and self._known.get(node.class_type, True):
                last.append(node.class_type)
                continue
            kept.discard(node.id)
            for source in {source for _, source, _ in links.sources(node.inputs)} & kept:
                users[source].discard(node.id)
                if not users[source]:
                    loose.append(source)
        # The only one left must be an output, or the server would have refused the workflow.
        return kept, set(last) - self._known.keys() if len(last) > 1 else set()
