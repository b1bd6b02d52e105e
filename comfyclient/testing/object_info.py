"""What ``GET /object_info`` says about a node class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comfyclient.testing.graph import NodeClass
    from comfyclient.testing.versions import Version


def describe(name: str, node_class: NodeClass, version: Version) -> dict[str, Any]:
    """Describe a class. Whatever its ``OBJECT_INFO`` holds has the last word.

    Raises:
        Exception: Its ``INPUT_TYPES`` did.
    """
    types = node_class.INPUT_TYPES()
    outputs = node_class.RETURN_TYPES
    info: dict[str, Any] = {
        "input": types,
        "input_order": {category: list(inputs) for category, inputs in types.items()},
        "is_input_list": getattr(node_class, "INPUT_IS_LIST", False),
        "output": outputs,
        "output_is_list": getattr(node_class, "OUTPUT_IS_LIST", [False] * len(outputs)),
        "output_name": getattr(node_class, "RETURN_NAMES", outputs),
        "name": name,
        "display_name": getattr(node_class, "DISPLAY_NAME", name),
        "description": getattr(node_class, "DESCRIPTION", ""),
        "python_module": getattr(node_class, "RELATIVE_PYTHON_MODULE", "nodes"),
        "category": getattr(node_class, "CATEGORY", "sd"),
        "output_node": getattr(node_class, "OUTPUT_NODE", False) is True,
        "has_intermediate_output": getattr(node_class, "HAS_INTERMEDIATE_OUTPUT", False) is True,
    }
    for key in ("OUTPUT_TOOLTIPS", "API_NODE", "ESSENTIALS_CATEGORY"):
        if hasattr(node_class, key):
            info[key.lower()] = getattr(node_class, key)
    for key in ("DEPRECATED", "EXPERIMENTAL", "DEV_ONLY"):
        if getattr(node_class, key, False):
            info[key.lower()] = True
    info["search_aliases"] = getattr(node_class, "SEARCH_ALIASES", [])
    info |= getattr(node_class, "OBJECT_INFO", {})
    return {key: value for key, value in info.items() if _is_known(key, version)}


_SINCE = {
    "0.3.64": {"input_order", "python_module", "output_tooltips", "deprecated", "experimental", "api_node"},
    "0.30.0": {"is_input_list", "has_intermediate_output", "search_aliases", "dev_only", "essentials_category"},
}


def _is_known(key: str, version: Version) -> bool:
    return all(version.since(name) or key not in keys for name, keys in _SINCE.items())
