"""The editor's own save format, and the ways between it and the prompt that the server takes."""

from __future__ import annotations

from comfyclient.workflow.editor.prompt import Prompt, convert, to_api
from comfyclient.workflow.editor.saving import to_editor
from comfyclient.workflow.editor.virtual import RESOLVERS, NodeView, Resolver, get_node, set_node

__all__ = ["RESOLVERS", "NodeView", "Prompt", "Resolver", "convert", "get_node", "set_node", "to_api", "to_editor"]
