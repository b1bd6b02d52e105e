"""The document a user holds: load it, find nodes, edit inputs, check it before anything is sent."""

from comfyclient.workflow.diff import Change, Diff
from comfyclient.workflow.document import Workflow
from comfyclient.workflow.node import Node

__all__ = ["Change", "Diff", "Node", "Workflow"]
