"""The document a user holds: load it, find nodes, edit inputs, check it before anything is sent."""

from comfyclient.workflow.document import Node, Workflow

__all__ = ["Node", "Workflow"]
